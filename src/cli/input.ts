// What a command reads from a file, or from standard input.
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { usageError } from './command.ts';

// Not node:stream/consumers: it loads all of fetch, and one bundle loads it in the sidecar too.
export const readAll = async (stream: Readable): Promise<Buffer> => Buffer.concat((await stream.toArray()) as Buffer[]);

/** @throws PaycertError `usage` */
export async function readInput(file: string | undefined): Promise<Buffer> {
  if (file === undefined || file === '-') return readAll(process.stdin);
  return readFile(file).catch(() => {
    throw usageError(`${file} cannot be read`);
  });
}
