// A Secret as kubelet mounts it, in memory: read at once in the event loop, which waits for nothing, and takes no thread.
import { constants, closeSync, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { join, relative } from 'node:path';
import { maxFileBytes } from '../system/read-bounded.ts';

/** More than a Secret has keys in practice: what holds more is read in pieces, in the pool. */
const maxFiles = 128;

/** No link is followed: it may lead out of memory, to what hangs. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface MemoryReading {
  readonly data: Map<string, Uint8Array>;
  /** That of the rename that published it. */
  readonly changedAt: Date;
}

/**
 * The files of a Secret volume, of one instant; `mount`: where the mount in memory begins that holds it. Undefined for what is not
 * exactly such a volume, or does not stay one while it is read: the caller reads it as it reads a disk, and says what is wrong with it.
 */
export function readMemory(directory: string, mount: string): MemoryReading | undefined {
  try {
    if (!isDirect(directory, mount)) return undefined;
    const link = join(directory, '..data');
    const target = readlinkSync(link);
    if (target.includes('/')) return undefined;
    const changedAt = lstatSync(link).ctime;
    const root = join(directory, target);
    if (!lstatSync(root).isDirectory()) return undefined;
    const data = new Map<string, Uint8Array>();
    const room = { bytes: maxFileBytes };
    for (const path of listFiles(root)) data.set(path, readWhole(join(root, path), room));
    return readlinkSync(link) === target ? { data, changedAt } : undefined;
  } catch (error) {
    if (error instanceof NotPlain || (error as NodeJS.ErrnoException).syscall !== undefined) return undefined;
    throw error;
  }
}

class NotPlain extends Error {}

/** Whether each name between the mount and the directory is a directory itself, and so of the same file system. */
function isDirect(directory: string, mount: string): boolean {
  const names = relative(mount, directory)
    .split('/')
    .filter((name) => name !== '');
  return names.every((_, index) => lstatSync(join(mount, ...names.slice(0, index + 1))).isDirectory());
}

/** Those of a directory and of its direct subdirectories; names that start with a dot are not material. */
function listFiles(root: string): readonly string[] {
  const names = (path: string) =>
    readdirSync(path, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
  const paths = names(root).flatMap((entry) =>
    entry.isDirectory()
      ? names(join(root, entry.name)).map((inner) => ({ path: `${entry.name}/${inner.name}`, entry: inner }))
      : [{ path: entry.name, entry }],
  );
  if (paths.length > maxFiles || paths.some(({ entry }) => !entry.isFile())) throw new NotPlain();
  return paths.map(({ path }) => path);
}

function readWhole(path: string, room: { bytes: number }): Buffer {
  const file = openSync(path, openFlags);
  try {
    const stats = fstatSync(file);
    room.bytes -= stats.size;
    if (!stats.isFile() || room.bytes < 0) throw new NotPlain();
    // One more than there are: to see the end.
    const bytes = Buffer.alloc(stats.size + 1);
    const length = readSync(file, bytes, 0, bytes.length, 0);
    if (length !== stats.size) throw new NotPlain();
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}
