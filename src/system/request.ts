// One HTTP request that holds no thread and waits for no silent peer, and its response as bounded bytes.
import { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { createLookup } from './lookup.ts';
import { responseOf } from './response-of.ts';

const lookup = createLookup();

/** There is no response, or no whole one. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  /** Node's code, and not its message, which is foreign text. */
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

/** A response is larger than there is room for. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

export interface Sending {
  readonly body?: string | Uint8Array | undefined;
  /** A connection on which nothing moves for so long is given up. */
  readonly silenceMilliseconds: number;
  /** Whether it may be sent twice: a connection that was kept may have been closed at the other end. */
  readonly mayRepeat: boolean;
}

/**
 * The response once its headers are there.
 * @throws Unreachable, or the signal's reason
 */
export async function request(
  server: URL,
  options: RequestOptions,
  sending: Sending,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { body, silenceMilliseconds, mayRepeat } = sending;
  const make = server.protocol === 'http:' ? httpRequest : httpsRequest;
  signal.throwIfAborted();
  const call = make({ ...partsOf(server), ...options, lookup });
  // Node's own option `signal` costs several kilobytes a call, that outlive it until the next thorough collection of garbage.
  const abort = () => call.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  call.once('close', () => signal.removeEventListener('abort', abort));
  call.setTimeout(silenceMilliseconds, () =>
    call.destroy(Object.assign(new Error(), { code: `nothing for ${silenceMilliseconds / 1000} s` })),
  );
  try {
    return await responseOf(call, body);
  } catch (error) {
    signal.throwIfAborted();
    // The server had closed a connection that was kept, as it does when it restarts: nothing was asked yet.
    if (mayRepeat && call.reusedSocket) return await request(server, options, { ...sending, mayRepeat: false }, signal);
    throw new Unreachable(reasonOf(error));
  }
}

const known = new WeakMap<URL, ReturnType<typeof urlToHttpOptions>>();

/** Servers are few, and asked often. */
function partsOf(server: URL): ReturnType<typeof urlToHttpOptions> {
  const parts = known.get(server) ?? urlToHttpOptions(server);
  known.set(server, parts);
  return parts;
}

/** One request and the one that repeats it. */
export interface Asking {
  /** The one that is under way: destroy it to give it up. */
  call?: ClientRequest;
  /** It is not repeated, and nothing more is sent. */
  isOver: boolean;
}

export type Ask = (headers: OutgoingHttpHeaders, body: Uint8Array, asking: Asking) => Promise<IncomingMessage>;

/**
 * Requests to one server, many a second: what is the same for all is made once, and none has a signal or a timer. Who asks has a deadline
 * of its own. Each may be sent twice.
 * @throws Unreachable
 */
export function requestsTo(server: URL, options: RequestOptions): Ask {
  const make = server.protocol === 'http:' ? httpRequest : httpsRequest;
  const same = { ...urlToHttpOptions(server), ...options, lookup };
  return async (headers, body, asking) => {
    for (let mayRepeat = true; ; mayRepeat = false) {
      const call = make({ ...same, headers });
      asking.call = call;
      try {
        return await responseOf(call, body);
      } catch (error) {
        if (!mayRepeat || !call.reusedSocket || asking.isOver) throw new Unreachable(reasonOf(error));
      }
    }
  };
}

const lineFeed = 0x0a;

const reasonOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';

/** The chunks of a response. @throws Unreachable when the connection breaks, or the signal's reason */
export async function* readChunks(response: IncomingMessage, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of response) yield chunk as Buffer;
  } catch (error) {
    signal.throwIfAborted();
    throw new Unreachable(reasonOf(error));
  }
}

/** The lines of chunks that have come to their end. A byte is looked at once, however small the chunks are. @throws `tooLong` */
export async function* readLines(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
  tooLong: () => Error,
): AsyncGenerator<Buffer, void, undefined> {
  let rest: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      const line = Buffer.concat([...rest, chunk.subarray(start, end)]);
      [rest, size, start] = [[], 0, end + 1];
      yield line;
    }
    rest.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > maxBytes) throw tooLong();
  }
}

/** The whole body. @throws TooLarge, Unreachable, or the signal's reason */
export function readBytes(response: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let isWhole = false;
    const broken = () => {
      // Each response closes: no error is made of one that has ended.
      if (isWhole) return;
      // Node emits no error of a response that nobody listened to yet.
      const { errored } = response;
      const code = errored ? reasonOf(errored) : 'ERR_STREAM_PREMATURE_CLOSE';
      reject(signal.aborted ? (signal.reason as Error) : new Unreachable(code));
    };
    if (response.closed) {
      broken();
      return;
    }
    // Listeners, and no iterator: that is an object of its own for each response, with listeners for everything.
    response
      .on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size <= maxBytes) return;
        reject(new TooLarge());
        response.destroy();
      })
      .once('end', () => {
        isWhole = true;
        resolve(Buffer.concat(chunks));
      })
      .once('error', broken)
      .once('close', broken);
  });
}
