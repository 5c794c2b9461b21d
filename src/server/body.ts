// The body of a request: refused before it is buffered when it is too large, and as JSON or not at all.
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { PaycertError } from '../errors.ts';

const tooLarge = (limit: number) => new PaycertError('body-too-large', `the body is larger than ${limit} bytes`);

/** @throws PaycertError `media-type-unsupported`, `body-too-large`, `request-malformed` */
export async function readJson(request: IncomingMessage, limit: number): Promise<unknown> {
  const type = request.headers['content-type'];
  if (type === undefined || !/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new PaycertError('media-type-unsupported', 'the body must be application/json', { field: 'content-type' });
  }
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  const body = await readBytes(request, limit);
  // JSON.parse of bytes that are no UTF-8 would quietly read, and then sign, other text than was sent.
  if (!isUtf8(body)) throw new PaycertError('request-malformed', 'the body is not UTF-8');
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    throw new PaycertError('request-malformed', 'the body is not valid JSON');
  }
}

function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size > limit) {
        chunks.length = 0;
        reject(tooLarge(limit));
      } else chunks.push(chunk);
    });
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    // Whoever hangs up is no bug of ours.
    request.on('error', (cause) =>
      reject(new PaycertError('request-malformed', 'the connection closed before the body ended', { cause })),
    );
  });
}
