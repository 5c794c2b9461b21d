// Everything that a directory holds, or one file: bounded, and without waiting for what is no file.
import { constants } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PaycertError } from '../errors.ts';

/** A Secret holds at most 1 MiB; a few of them may be projected into one directory. */
const maxBytes = 4 * 1024 * 1024;
const maxFiles = 1024;

type SystemError = NodeJS.ErrnoException & { readonly code: string };

export const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error &&
  typeof (error as NodeJS.ErrnoException).code === 'string' &&
  !(error instanceof PaycertError);

export const isCode = (error: unknown, ...codes: string[]): boolean =>
  isSystemError(error) && codes.includes(error.code);

export interface Tree {
  readonly data: Map<string, Uint8Array>;
  readonly changedAt?: Date;
}

/** The files of a directory and of its direct subdirectories (`platform/…`, `retired/…`); names that start with a dot are not material. */
export async function readTree(root: string): Promise<Tree> {
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

/** Opening a pipe would wait for its writer, in a thread of the pool, for ever. */
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

/** The whole file, through one descriptor, if there is room for it; no bytes for what is not a regular file. */
export async function readFile(
  path: string,
  root = path,
  room = { bytes: maxBytes },
): Promise<{ bytes?: Uint8Array; changedAt: Date }> {
  const file = await open(path, openFlags).catch((error: unknown) => {
    // A socket.
    if (isCode(error, 'ENXIO')) return undefined;
    throw error;
  });
  if (file === undefined) return { changedAt: new Date(0) };
  try {
    // At once: under load each call waits in the thread pool behind signatures.
    const [stats, first] = await Promise.all([orError(file.stat()), orError(readFirst(file))]);
    if (stats instanceof Error) throw stats;
    if (!stats.isFile()) return { changedAt: stats.ctime };
    // All files are read at once: what does not fit is refused before more of it is read.
    room.bytes -= stats.size;
    if (room.bytes < 0) throw tooLarge(root, `holds more than ${maxBytes} bytes`);
    if (first instanceof Error) throw first;
    // A file is longer than the system says while it grows, and under /proc.
    const bytes = first.byteLength === stats.size ? first : Buffer.concat([first, await file.readFile()]);
    return { bytes, changedAt: stats.ctime };
  } finally {
    // Nothing was written, so nothing can be lost, and nobody has to wait for it.
    file.close().catch(() => undefined);
  }
}

/** Keys and certificates are shorter. */
const firstBytes = 16 * 1024;

async function readFirst(file: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(firstBytes), 0, firstBytes, null);
  return buffer.subarray(0, bytesRead);
}

/** Of two calls that are under way at once, neither may fail alone: a file that is being read must not be closed. */
const orError = <T>(call: Promise<T>): Promise<T | SystemError> =>
  call.catch((error: unknown) => {
    if (isSystemError(error)) return error;
    throw error;
  });

const tooLarge = (path: string, what: string) =>
  new PaycertError('source-too-large', `${path} ${what}`, { field: path });
