// Reading files as of one instant: a mounted Secret through its `..data`, a plain directory twice.
import { type FileHandle, lstat, open, readdir, readlink, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PaycertError } from '../errors.ts';

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

const isCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');

/** What a path holds: the files of a directory by relative name, or one file by its base name. */
export async function readPath(path: string): Promise<Reading> {
  try {
    const isDirectory = (await stat(path)).isDirectory();
    return await (isDirectory ? readDirectory(path) : readTwice(path, () => readOne(path)));
  } catch (error) {
    if (error instanceof PaycertError) throw error;
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new PaycertError('source-unreadable', `${path} cannot be read (${code})`, { field: path });
  }
}

async function readDirectory(path: string): Promise<Reading> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const pinned = await dataLink(path);
    if (pinned === undefined) return readTwice(path, () => readTree(path));
    try {
      const { data } = await readTree(join(path, pinned.target));
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
    const target = await readlink(link);
    return { target, changedAt: (await lstat(link)).ctime };
  } catch (error) {
    if (isCode(error, 'ENOENT', 'EINVAL')) return undefined;
    throw error;
  }
}

interface Tree {
  readonly data: Map<string, Uint8Array>;
  readonly changedAt?: Date;
}

/** For writers that are not atomic: two reads must agree. */
async function readTwice(path: string, read: () => Promise<Tree>): Promise<Reading> {
  let before = await read();
  for (let attempt = 0; attempt < attempts; attempt++) {
    const after = await read();
    if (isEqual(before.data, after.data)) return { ...after, isAtomic: false };
    before = after;
  }
  throw new PaycertError('source-unstable', `${path} changed during each of ${attempts} reads`, { field: path });
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
  const files = await Promise.all(paths.map(async (path) => ({ path, ...(await readFile(join(root, path), root)) })));
  const data = new Map(files.flatMap(({ path, bytes }) => (bytes === undefined ? [] : [[path, bytes]])));
  const total = files.reduce((sum, { bytes }) => sum + (bytes?.byteLength ?? 0), 0);
  if (total > maxBytes) throw tooLarge(root, `holds more than ${maxBytes} bytes`);
  const latest = Math.max(...files.map(({ changedAt }) => changedAt.getTime()), 0);
  return { data, ...(latest > 0 && { changedAt: new Date(latest) }) };
}

async function readOne(path: string): Promise<Tree> {
  const { bytes, changedAt } = await readFile(path, path);
  if (bytes === undefined) throw new PaycertError('source-unreadable', `${path} is not a file`, { field: path });
  return { data: new Map([[basename(path), bytes]]), changedAt };
}

/** The whole file, through one descriptor; no bytes for what is not a regular file. */
async function readFile(path: string, root: string): Promise<{ bytes?: Uint8Array; changedAt: Date }> {
  const file: FileHandle = await open(path, 'r');
  try {
    const { size, ctime } = await file
      .stat()
      .then((stats) => (stats.isFile() ? stats : { size: -1, ctime: stats.ctime }));
    if (size < 0) return { changedAt: ctime };
    if (size > maxBytes) throw tooLarge(root, `holds more than ${maxBytes} bytes`);
    return { bytes: await file.readFile(), changedAt: ctime };
  } finally {
    await file.close();
  }
}

const tooLarge = (path: string, what: string) =>
  new PaycertError('source-too-large', `${path} ${what}`, { field: path });
