// What a command reads from a file, or from standard input: bounded, since a device and a pipe may have no end.
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { PaycertError } from '../errors.ts';
import { usageError } from './command.ts';

/** More than a sidecar takes at once, in base64 too, and no more than a small machine has. */
const maxInputBytes = 64 * 1024 * 1024;

/**
 * Not node:stream/consumers: it loads all of fetch, and one bundle loads it in the sidecar too.
 * @throws PaycertError `usage` where it holds more than a command reads
 */
export async function readAll(stream: Readable, name = 'standard input'): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop ends the stream.
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length > maxInputBytes) throw usageError(`${name} holds more than ${maxInputBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A pipe too: a shell passes what a command prints as one. @throws PaycertError `usage` */
export async function readInput(file: string | undefined): Promise<Buffer> {
  if (file === undefined || file === '-') return readAll(process.stdin);
  return readAll(createReadStream(file), file).catch((error: unknown) => {
    throw error instanceof PaycertError ? error : usageError(`${file} cannot be read`);
  });
}
