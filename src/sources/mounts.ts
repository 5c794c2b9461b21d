// What the kernel says of mounts: which paths can never change, since kubelet resolves a subPath once, and what is in memory.
import { readFileSync } from 'node:fs';

/**
 * The subPath mounts of a Secret at, in or around the paths given: the mounted root
 * lies inside one of kubelet's timestamped directories (`..2026_11_22_15_09_00.123456789`), or the path itself is a file
 * and a mount point at once, which no whole volume ever is.
 */
export function frozenMounts(
  mounts: Mounts,
  paths: readonly { readonly path: string; readonly isFile: boolean }[],
): string[] {
  const isFrozen = (mountPoint: string): boolean => /\/\.\.\d{4}_\d\d_\d\d_/.test(mounts.get(mountPoint)?.root ?? '');
  const frozen = paths.flatMap(({ path, isFile }) => {
    if (isFile && mounts.has(path)) return [path];
    const around = innermost(mounts, path);
    const inside = [...mounts.keys()].filter((point) => isWithin(point, path) && isFrozen(point));
    return around !== undefined && isFrozen(around) ? [path] : inside;
  });
  return [...new Set(frozen)];
}

/** Where each mount of these paths begins, as far as their names say: asking the system could hang with the mount. */
export const mountPointsOf = (mounts: Mounts, paths: readonly string[]): readonly string[] =>
  [...new Set(paths.map((path) => innermost(mounts, path) ?? '/'))].sort();

/** The kind of file system that a path is on, such as `tmpfs`; undefined where nothing is known of mounts. */
export const fileSystemAt = (mounts: Mounts, path: string): string | undefined =>
  mounts.get(innermost(mounts, path) ?? '')?.kind;

/** File systems that wait for nothing but the kernel or a disk of this machine, as Linux calls them. */
const local: ReadonlySet<string | undefined> = new Set(
  [
    'bcachefs btrfs erofs ext2 ext3 ext4 f2fs overlay squashfs xfs zfs',
    'cgroup cgroup2 devpts devtmpfs mqueue proc ramfs sysfs tmpfs',
  ].flatMap((kinds) => kinds.split(' ')),
);

/** Whether all paths are on this machine, as far as their names say: a link may lead elsewhere. */
export const areLocal = (mounts: Mounts, paths: readonly string[]): boolean =>
  paths.every((path) => local.has(fileSystemAt(mounts, path)));

/** Whether another machine or a program is mounted somewhere in a directory, as far as names say. What is asked of it may hang. */
export const hasRemoteInside = (mounts: Mounts, directory: string): boolean =>
  [...mounts].some(([point, { kind }]) => point !== directory && isWithin(point, directory) && !local.has(kind));

/** Where the mount of a path begins, if it is in memory; as far as names say. */
export function memoryMountOf(mounts: Mounts, path: string): string | undefined {
  const point = innermost(mounts, path);
  return point !== undefined && mounts.get(point)?.kind === 'tmpfs' ? point : undefined;
}

let read: Mounts | undefined;

/**
 * Those of this process; a thousand sources that are made in one turn of the event loop share one look. Empty without /proc: not Linux,
 * and so no kubelet. The kernel makes that file, and asks no file system for it.
 */
export function currentMounts(): Mounts {
  if (read === undefined) {
    setImmediate(() => (read = undefined));
    read = parseMounts(readMountinfo());
  }
  return read;
}

function readMountinfo(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}

interface Mount {
  /** What of its file system is mounted. */
  readonly root: string;
  /** The kind of file system. */
  readonly kind: string | undefined;
}

/** By mount point. */
export type Mounts = ReadonlyMap<string, Mount>;

/** Of the text of /proc/self/mountinfo (proc(5)). */
export function parseMounts(mountinfo: string): Mounts {
  const mounts = new Map<string, Mount>();
  for (const line of mountinfo.split('\n')) {
    // Optional fields stand before the hyphen, as many as there are.
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root, mountPoint] = before.split(' ');
    const [kind] = after.split(' ');
    // A later mount hides an earlier one at the same place.
    if (root !== undefined && mountPoint !== undefined)
      mounts.set(unescape(mountPoint), { root: unescape(root), kind });
  }
  return mounts;
}

const innermost = (mounts: Mounts, path: string): string | undefined =>
  [...mounts.keys()].filter((point) => isWithin(path, point)).sort((a, b) => b.length - a.length)[0];

const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);

/** Spaces and the like stand as octal escapes. */
const unescape = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
