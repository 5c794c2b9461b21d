// Reading files as of one instant: a mounted Secret through its `..data`, a plain directory twice.
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { PaycertError } from '../errors.ts';
import { mergeData } from './merge.ts';

/** A Secret holds at most 1 MiB; a few of them may be projected into one directory. */
const maxBytes = 4 * 1024 * 1024;
const maxFiles = 1024;
const attempts = 20;

export interface Reading {
  readonly data: Map<string, Uint8Array>;
  /** Written by swapping a directory: what was read is whole, and needs no settling. */
  readonly isAtomic: boolean;
  readonly changedAt?: Date;
}

type SystemError = NodeJS.ErrnoException & { readonly code: string };

const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error &&
  typeof (error as NodeJS.ErrnoException).code === 'string' &&
  !(error instanceof PaycertError);

const isCode = (error: unknown, ...codes: string[]): boolean => isSystemError(error) && codes.includes(error.code);

/**
 * What the paths hold together, as of one instant: the files of a directory by relative name, one file by its base name.
 * One swapped directory is whole as it is. Of everything else two reads must agree, and of several paths too: the second
 * read of the first began after the first read of the last had ended, and nothing had changed between.
 */
export async function readPaths(paths: readonly string[]): Promise<Reading> {
  let before: Reading | undefined;
  let vanished: PaycertError | undefined;
  for (let attempt = 0; attempt < attempts; attempt++) {
    try {
      const reading = await readOnce(paths);
      const isWhole = reading.isAtomic && paths.length === 1;
      if (isWhole || (before !== undefined && isEqual(before.data, reading.data))) return reading;
      before = reading;
    } catch (error) {
      // Listed, and gone when it was opened: the writer was between two steps.
      if (!(error instanceof Vanished)) throw error;
      vanished = error.reason;
    }
  }
  const [field = ''] = paths;
  throw vanished ?? new PaycertError('source-unstable', `${field} changed during each of ${attempts} reads`, { field });
}

async function readOnce(paths: readonly string[]): Promise<Reading> {
  const readings = await Promise.all(paths.map(readPath));
  const changes = readings.flatMap(({ changedAt }) => (changedAt ? [changedAt.getTime()] : []));
  return {
    data: mergeData(readings.map(({ data }) => data)),
    isAtomic: readings.every(({ isAtomic }) => isAtomic),
    ...(changes.length > 0 && { changedAt: new Date(Math.max(...changes)) }),
  };
}

class Vanished extends Error {
  readonly reason: PaycertError;

  constructor(reason: PaycertError) {
    super(reason.message);
    this.reason = reason;
  }
}

async function readPath(path: string): Promise<Reading> {
  let isThere = false;
  try {
    const isDirectory = (await stat(path)).isDirectory();
    isThere = true;
    return await (isDirectory ? readDirectory(path) : readOne(path));
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const unreadable = new PaycertError('source-unreadable', `${error.path ?? path} cannot be read (${error.code})`, {
      field: path,
    });
    throw isThere && error.code === 'ENOENT' ? new Vanished(unreadable) : unreadable;
  }
}

async function readDirectory(path: string): Promise<Reading> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const pinned = await dataLink(path);
    if (pinned === undefined) return { ...(await readTree(path)), isAtomic: false };
    try {
      const { data } = await readTree(resolve(path, pinned.target));
      const after = await dataLink(path);
      if (after?.target === pinned.target) return { data, isAtomic: true, changedAt: pinned.changedAt };
    } catch (error) {
      // The directory was swapped away while it was read: there is a newer one.
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }
  throw new PaycertError('source-unstable', `${path} was swapped during each of ${attempts} reads`, { field: path });
}

/** Where `..data` points. The time is that of the rename: it cannot be set by whoever wrote the files. */
async function dataLink(path: string): Promise<{ target: string; changedAt: Date } | undefined> {
  const link = join(path, '..data');
  try {
    // At once: under load each call waits in the thread pool behind signatures.
    const [target, { ctime }] = await Promise.all([readlink(link), lstat(link)]);
    return { target, changedAt: ctime };
  } catch (error) {
    if (isCode(error, 'ENOENT', 'EINVAL')) return undefined;
    throw error;
  }
}

interface Tree {
  readonly data: Map<string, Uint8Array>;
  readonly changedAt?: Date;
}

function isEqual(a: ReadonlyMap<string, Uint8Array>, b: ReadonlyMap<string, Uint8Array>): boolean {
  return (
    a.size === b.size &&
    [...a].every(([name, bytes]) => Buffer.compare(bytes, b.get(name) ?? Buffer.of(0)) === 0 && b.has(name))
  );
}

/** The files of a directory and of its direct subdirectories (`platform/…`, `retired/…`); names that start with a dot are not material. */
async function readTree(root: string): Promise<Tree> {
  const paths: string[] = [];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
    const isDirectory =
      entry.isDirectory() || (entry.isSymbolicLink() && (await stat(join(root, entry.name))).isDirectory());
    if (!isDirectory) paths.push(entry.name);
    else
      paths.push(
        ...(await readdir(join(root, entry.name)))
          .filter((name) => !name.startsWith('.'))
          .map((name) => `${entry.name}/${name}`),
      );
  }
  if (paths.length > maxFiles) throw tooLarge(root, `holds more than ${maxFiles} files`);
  const room = { bytes: maxBytes };
  const files = await Promise.all(
    paths.map(async (path) => ({ path, ...(await readFile(join(root, path), root, room)) })),
  );
  const data = new Map(files.flatMap(({ path, bytes }) => (bytes === undefined ? [] : [[path, bytes]])));
  const latest = Math.max(...files.map(({ changedAt }) => changedAt.getTime()), 0);
  return { data, ...(latest > 0 && { changedAt: new Date(latest) }) };
}

async function readOne(path: string): Promise<Reading> {
  const { bytes, changedAt } = await readFile(path, path, { bytes: maxBytes });
  if (bytes === undefined) throw new PaycertError('source-unreadable', `${path} is not a file`, { field: path });
  return { data: new Map([[basename(path), bytes]]), isAtomic: false, changedAt };
}

/** Opening a pipe would wait for its writer, in a thread of the pool, for ever. */
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

/** The whole file, through one descriptor, if there is room for it; no bytes for what is not a regular file. */
async function readFile(
  path: string,
  root: string,
  room: { bytes: number },
): Promise<{ bytes?: Uint8Array; changedAt: Date }> {
  const file = await open(path, openFlags).catch((error: unknown) => {
    // A socket.
    if (isCode(error, 'ENXIO')) return undefined;
    throw error;
  });
  if (file === undefined) return { changedAt: new Date(0) };
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return { changedAt: stats.ctime };
    // All files are opened at once: what does not fit is refused before it is read.
    room.bytes -= stats.size;
    if (room.bytes < 0) throw tooLarge(root, `holds more than ${maxBytes} bytes`);
    return { bytes: await readWhole(file, stats.size), changedAt: stats.ctime };
  } finally {
    await file.close();
  }
}

/** One call where the size is true, as it nearly always is; a file that is growing is read to its end. */
async function readWhole(file: FileHandle, size: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size + 1), 0, size + 1, null);
  return bytesRead <= size ? buffer.subarray(0, bytesRead) : Buffer.concat([buffer, await file.readFile()]);
}

const tooLarge = (path: string, what: string) =>
  new PaycertError('source-too-large', `${path} ${what}`, { field: path });
