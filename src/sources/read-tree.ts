// Everything that a directory holds, or one file: bounded, and without waiting for what is no file.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PaycertError } from '../errors.ts';
import { FileRefused, maxFileBytes, readBounded } from '../system/read-bounded.ts';
import type { Lane } from '../system/lanes.ts';
import { runForeign } from '../system/threads.ts';

const maxFiles = 1024;

type SystemError = NodeJS.ErrnoException & { readonly code: string };

export const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error &&
  typeof (error as NodeJS.ErrnoException).code === 'string' &&
  !(error instanceof PaycertError);

export const isCode = (error: unknown, ...codes: string[]): boolean =>
  isSystemError(error) && codes.includes(error.code);

interface ReadOptions {
  /** Named where there is no room. */
  readonly root?: string;
  readonly room?: { bytes: number };
  readonly lane: Lane;
}

export interface Tree {
  readonly data: Map<string, Uint8Array>;
  readonly changedAt?: Date;
}

/** The files of a directory and of its direct subdirectories (`platform/…`, `retired/…`); names that start with a dot are not material. */
export async function readTree(root: string, lane: Lane): Promise<Tree> {
  const paths: string[] = [];
  for (const entry of await runForeign(lane, () => readdir(root, { withFileTypes: true }))) {
    if (entry.name.startsWith('.')) continue;
    const path = join(root, entry.name);
    const isDirectory =
      entry.isDirectory() || (entry.isSymbolicLink() && (await runForeign(lane, () => stat(path))).isDirectory());
    if (!isDirectory) paths.push(entry.name);
    else
      paths.push(
        ...(await runForeign(lane, () => readdir(path)))
          .filter((name) => !name.startsWith('.'))
          .map((name) => `${entry.name}/${name}`),
      );
  }
  if (paths.length > maxFiles) throw tooLarge(root, `holds more than ${maxFiles} files`);
  const room = { bytes: maxFileBytes };
  const files = await Promise.all(
    paths.map(async (path) => ({ path, ...(await readFile(join(root, path), { root, room, lane })) })),
  );
  const data = new Map(files.flatMap(({ path, bytes }) => (bytes === undefined ? [] : [[path, bytes]])));
  const latest = Math.max(...files.map(({ changedAt }) => changedAt.getTime()), 0);
  return { data, ...(latest > 0 && { changedAt: new Date(latest) }) };
}

/** The whole file, if there is room for it; no bytes for what is not a regular file. */
export async function readFile(
  path: string,
  { root = path, room = { bytes: maxFileBytes }, lane }: ReadOptions,
): Promise<{ bytes?: Uint8Array; changedAt: Date }> {
  try {
    return await readBounded(path, room, lane);
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error;
    if (error.isTooLarge) throw tooLarge(root, `holds more than ${maxFileBytes} bytes`);
    return { changedAt: new Date(0) };
  }
}

const tooLarge = (path: string, what: string) =>
  new PaycertError('source-too-large', `${path} ${what}`, { field: path });
