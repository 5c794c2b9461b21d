// The body of a request: refused before it is buffered when it is too large, and as JSON or not at all.
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { PaycertError } from '../errors.ts';
import { parseModest, TooMuch } from '../system/modest-json.ts';
import { afterPoll } from './after-poll.ts';

const tooLarge = (limit: number) => new PaycertError('body-too-large', `the body is larger than ${limit} bytes`);

/**
 * `held` as of `readBytes`.
 * @throws PaycertError `media-type-unsupported`, `body-too-large`, `request-malformed`, `request-invalid`; what `held` throws
 */
export function readJson(request: IncomingMessage, limit: number, held?: (bytes: number) => void): Promise<unknown> {
  const type = request.headers['content-type'];
  // As most callers write it, and else what is the same.
  if (type === 'application/json' || (type !== undefined && /^application\/json\s*(?:;|$)/i.test(type)))
    return readAs(parsed, { request, limit, held });
  const message = 'the body must be application/json';
  return Promise.reject(new PaycertError('media-type-unsupported', message, { field: 'content-type' }));
}

function parsed(body: Buffer): unknown {
  // JSON.parse of bytes that are no UTF-8 would quietly read, and then sign, other text than was sent.
  if (!isUtf8(body)) throw new PaycertError('request-malformed', 'the body is not UTF-8');
  try {
    return parseModest(body);
  } catch (error) {
    if (error instanceof TooMuch)
      throw new PaycertError('request-invalid', `the body has more than ${error.most}`, { field: 'body' });
    throw new PaycertError('request-malformed', 'the body is not valid JSON');
  }
}

/**
 * The whole body, when it is also known whether its caller has left since. `held` hears of each piece before it is kept, and may throw.
 * @throws PaycertError `body-too-large`, `request-malformed`; what `held` throws
 */
export const readBytes = (request: IncomingMessage, limit: number, held?: (bytes: number) => void): Promise<Buffer> =>
  readAs((body) => body, { request, limit, held });

interface Reading {
  readonly request: IncomingMessage;
  readonly limit: number;
  readonly held?: ((bytes: number) => void) | undefined;
}

/** What is made of the whole body, in one promise: most calls make nothing else of theirs. */
function readAs<T>(make: (body: Buffer) => T, { request, limit, held }: Reading): Promise<T> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
    const chunks: Buffer[] = [];
    let size = 0;
    let isRefused = false;
    const refuse = (error: Error) => {
      isRefused = true;
      chunks.length = 0;
      reject(error);
    };
    request.on('data', (chunk: Buffer) => {
      if (isRefused) return;
      size += chunk.byteLength;
      try {
        if (size > limit) throw tooLarge(limit);
        held?.(chunk.byteLength);
        chunks.push(chunk);
      } catch (error) {
        refuse(error as Error);
      }
    });
    request.on('end', () => {
      afterPoll(request, () => {
        try {
          resolve(make(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
        } catch (error) {
          reject(error);
        }
        // These listeners stay for as long as the request, and so would the pieces, beside the whole.
        chunks.length = 0;
      });
    });
    // A caller that hangs up is no bug of ours.
    request.on('error', (cause) =>
      reject(new PaycertError('request-malformed', 'the connection closed before the body ended', { cause })),
    );
  });
}
