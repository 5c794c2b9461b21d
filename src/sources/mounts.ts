// Which mounted paths can never change: kubelet resolves a subPath once, when the container starts.

/**
 * The paths, among those given, that are subPath mounts of a Secret, by /proc/self/mountinfo (proc(5)): the mounted
 * root lies inside one of kubelet's timestamped directories (`..2026_11_22_15_09_00.123456789`), or the path is a
 * file and a mount point at once, which no whole volume ever is.
 */
export function frozenMounts(
  mountinfo: string,
  paths: readonly { readonly path: string; readonly isFile: boolean }[],
): string[] {
  const mounts = new Map<string, string>();
  for (const line of mountinfo.split('\n')) {
    const [, , , root, mountPoint] = line.split(' ');
    if (root !== undefined && mountPoint !== undefined) mounts.set(unescape(mountPoint), unescape(root));
  }
  return paths
    .filter(({ path, isFile }) => {
      const root = mounts.get(path);
      return root !== undefined && (isFile || /\/\.\.\d{4}_\d\d_\d\d_/.test(root));
    })
    .map(({ path }) => path);
}

/** Spaces and the like stand as octal escapes. */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
