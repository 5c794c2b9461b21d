// The body of a request: refused before it is buffered when it is too large, and as JSON or not at all.
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { PaycertError } from '../errors.ts';
import { afterPoll } from './after-poll.ts';

const tooLarge = (limit: number) => new PaycertError('body-too-large', `the body is larger than ${limit} bytes`);

/**
 * `held` as of `readBytes`.
 * @throws PaycertError `media-type-unsupported`, `body-too-large`, `request-malformed`, `request-invalid`; what `held` throws
 */
export async function readJson(
  request: IncomingMessage,
  limit: number,
  held?: (bytes: number) => void,
): Promise<unknown> {
  const type = request.headers['content-type'];
  if (type === undefined || !/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new PaycertError('media-type-unsupported', 'the body must be application/json', { field: 'content-type' });
  }
  const body = await readBytes(request, limit, held);
  // JSON.parse of bytes that are no UTF-8 would quietly read, and then sign, other text than was sent.
  if (!isUtf8(body)) throw new PaycertError('request-malformed', 'the body is not UTF-8');
  assertModest(body);
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    throw new PaycertError('request-malformed', 'the body is not valid JSON');
  }
}

/** Far more than the largest batch of ordinary calls has; parsing and validating that many takes some milliseconds. */
const maxValues = 10_000;
const maxDepth = 32;

const [quote, backslash, comma, openArray, closeArray, openObject, closeObject] = Buffer.from('"\\,[]{}');

/**
 * A limit before the work: a megabyte may be one text, or half a million values that take a second to parse and judge. Bytes
 * that are no JSON may be counted wrongly, and are refused by the parser.
 */
function assertModest(body: Uint8Array): void {
  let [values, depth] = [0, 0];
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === quote) at = endOfText(body, at);
    else if (byte === closeArray || byte === closeObject) depth -= 1;
    else if (byte === comma || byte === openArray || byte === openObject) {
      values += 1;
      if (byte !== comma) depth += 1;
      if (values > maxValues) throw tooMuch(`${maxValues} values`);
      if (depth > maxDepth) throw tooMuch(`${maxDepth} levels`);
    }
  }
}

const tooMuch = (what: string) =>
  new PaycertError('request-invalid', `the body has more than ${what}`, { field: 'body' });

function endOfText(body: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < body.length && body[at] !== quote) at += body[at] === backslash ? 2 : 1;
  return at;
}

/**
 * The whole body, when it is also known whether its caller has left since. `held` hears of each piece before it is kept, and may throw.
 * @throws PaycertError `body-too-large`, `request-malformed`; what `held` throws
 */
export function readBytes(
  request: IncomingMessage,
  limit: number,
  held: (bytes: number) => void = () => undefined,
): Promise<Buffer> {
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
        held(chunk.byteLength);
        chunks.push(chunk);
      } catch (error) {
        refuse(error as Error);
      }
    });
    request.on('end', () => {
      void afterPoll().then(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    });
    // A caller that hangs up is no bug of ours.
    request.on('error', (cause) =>
      reject(new PaycertError('request-malformed', 'the connection closed before the body ended', { cause })),
    );
  });
}
