// Writes files as kubelet writes a Secret volume: atomically, and here one step at a time.
import { randomInt } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, normalize, relative } from 'node:path';

/** Named bytes; a name may hold slashes, such as `platform/a.pem`. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** Files as a program gives them: text is written as its UTF-8 bytes. */
export type FilesInput = ReadonlyMap<string, string | Uint8Array>;

/** A write whose payload is on disk and that no reader sees yet. Call `publish`, then `cleanup`. */
export interface PreparedWrite {
  /** The timestamped directory's name, relative to the volume; the current one if nothing changed. */
  readonly directory: string;
  /** False when the content is equal: then only missing links are made and nothing is removed. */
  readonly changed: boolean;
  /** Renames `..data_tmp` over `..data`, the one atomic step, then links the names that are new. */
  publish(): Promise<void>;
  /** Removes the links of names that are gone, then the previous timestamped directory. */
  cleanup(): Promise<void>;
}

/** A directory as kubelet keeps it for a mounted Secret. */
export interface SecretVolume {
  readonly directory: string;
  /** One whole update: prepare, publish, cleanup. Rejects with `RangeError`, as `prepare`. */
  write(files: FilesInput): Promise<void>;
  /** Everything before `..data_tmp`. Rejects with `RangeError` for a name that kubelet refuses. */
  prepare(files: FilesInput): Promise<PreparedWrite>;
}

/** How its files are written; nothing of it is needed. */
export interface SecretVolumeOptions {
  /** Of every file, whatever the umask; 0644 unless given, as in a Secret volume. */
  readonly mode?: number;
  /** For the names of timestamped directories. */
  readonly now?: () => Date;
}

/**
 * Makes the directory if need be and writes the first version. Rejects with `RangeError` for a name that kubelet refuses.
 * Steps and order are those of kubernetes/pkg/volume/util/atomic_writer.go (its steps 8 to 12 are `publish`, `cleanup`).
 * @example
 * import { readFile } from 'node:fs/promises';
 * import { join } from 'node:path';
 * import { createSecretVolume } from 'paycert/testing';
 *
 * const volume = await createSecretVolume(directory, new Map([['key', 'old']]));
 * await volume.write(new Map([['key', 'new']]));
 * console.log(await readFile(join(directory, 'key'), 'utf8')); // → new
 */
export async function createSecretVolume(
  directory: string,
  files: FilesInput,
  { mode = 0o644, now = () => new Date() }: SecretVolumeOptions = {},
): Promise<SecretVolume> {
  const volume: SecretVolume = {
    directory,
    prepare: (payload) => prepare(directory, clean(payload), mode, now),
    async write(payload) {
      const prepared = await volume.prepare(payload);
      await prepared.publish();
      await prepared.cleanup();
    },
  };
  await mkdir(directory, { recursive: true });
  await volume.write(files);
  return volume;
}

async function prepare(volume: string, files: Files, mode: number, now: () => Date): Promise<PreparedWrite> {
  const data = join(volume, '..data');
  const previous = await readlink(data).catch(ignore('ENOENT'));
  const previousFiles = previous === undefined ? new Map<string, Uint8Array>() : await readTree(join(volume, previous));
  const visible = visibleNames(files);
  const linkVisible = async (): Promise<void> => {
    for (const name of visible) await symlink(join('..data', name), join(volume, name)).catch(ignore('EEXIST'));
  };
  if (previous !== undefined && areEqual(previousFiles, files)) {
    return { directory: previous, changed: false, publish: linkVisible, cleanup: () => Promise.resolve() };
  }
  const directory = await makeTimestampedDirectory(volume, now);
  for (const [name, bytes] of files) {
    const path = join(volume, directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    await chmod(path, mode);
  }
  return {
    directory,
    changed: true,
    async publish() {
      await symlink(directory, join(volume, '..data_tmp'));
      await rename(join(volume, '..data_tmp'), data);
      await linkVisible();
    },
    async cleanup() {
      const stale = [...visibleNames(previousFiles)].filter((name) => !visible.has(name));
      for (const name of stale) await rm(join(volume, name), { force: true });
      if (previous !== undefined) await rm(join(volume, previous), { recursive: true, force: true });
    },
  };
}

/** `..YYYY_MM_DD_HH_MM_SS.NNNNNNNNN` in UTC; the digits are random, as in Go's MkdirTemp, and tried until they are new. */
async function makeTimestampedDirectory(volume: string, now: () => Date): Promise<string> {
  const time = now().toISOString().slice(0, 19).replace(/[-:T]/g, '_');
  const name = `..${time}.${String(randomInt(1_000_000_000)).padStart(9, '0')}`;
  const made = await mkdir(join(volume, name), 0o755).then(() => true, ignore('EEXIST'));
  return made === true ? name : makeTimestampedDirectory(volume, now);
}

async function readTree(root: string): Promise<Files> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(paths.map(async (path) => [relative(root, path), await readFile(path)] as const)));
}

function areEqual(left: Files, right: Files): boolean {
  const isEqual = (bytes: Uint8Array, other: Uint8Array | undefined): boolean =>
    other !== undefined && Buffer.compare(bytes, other) === 0;
  return left.size === right.size && [...left].every(([name, bytes]) => isEqual(bytes, right.get(name)));
}

/** What an application sees in the volume's root: the first element of every name. */
function visibleNames(files: Files): Set<string> {
  return new Set([...files.keys()].map((name) => name.split('/', 1).join()));
}

function clean(files: FilesInput): Files {
  return new Map([...files].map(([name, content]) => [cleanName(name), Buffer.from(content)]));
}

function cleanName(name: string): string {
  const elements = name.split('/');
  const isRefused = name === '' || name.startsWith('/') || name.startsWith('..') || elements.includes('..');
  if (isRefused || name.length > 4096 || elements.some((element) => element.length > 255)) {
    throw new RangeError(`kubelet refuses this name: ${JSON.stringify(name)}`);
  }
  return normalize(name);
}

function ignore(code: string): (error: unknown) => undefined {
  return (error) => {
    if (!(error instanceof Error && 'code' in error && error.code === code)) throw error;
  };
}
