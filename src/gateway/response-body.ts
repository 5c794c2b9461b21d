// The body of a response, whole and within bounds: read, and decompressed where it came compressed.
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { PaycertError } from '../errors.ts';
import type { BufferBudget, Reservation } from '../system/buffer-budget.ts';
import type { IncomingBody } from './arriving-body.ts';

/** A response that is signed as a whole must be held as a whole. None that a platform signs comes near. */
const maxResponseBytes = 4 * 1024 * 1024;

const tooLarge = (most: number) =>
  new PaycertError('response-too-large', `the platform’s response is larger than ${most} bytes`);

/** @throws PaycertError `response-too-large`, `overloaded`; whatever ends the body */
export async function readWhole(body: IncomingBody, budget: BufferBudget, most = maxResponseBytes): Promise<Buffer> {
  const held: Reservation = budget.open();
  try {
    return await body.whole((bytes) => {
      held.add(bytes);
      if (held.bytes > most) throw tooLarge(most);
    });
  } finally {
    held.release();
  }
}

const decoders = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/**
 * What the platform signed: the content, and not the way in which it was packed.
 * @throws PaycertError `response-too-large`; `response-unverified` for what cannot be unpacked
 */
export async function decoded(bytes: Buffer, encoding: string | undefined, most = maxResponseBytes): Promise<Buffer> {
  if (encoding === undefined || encoding === '' || encoding.toLowerCase() === 'identity') return bytes;
  const decode = Object.entries(decoders).find(([name]) => name === encoding.toLowerCase())?.[1];
  try {
    if (decode !== undefined) return await decode(bytes, { maxOutputLength: most });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(most);
  }
  throw new PaycertError('response-unverified', 'the platform’s response is compressed in a way that cannot be read');
}
