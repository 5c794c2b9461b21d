// One request to the API server, and its response as bytes or JSON.
import type { IncomingMessage } from 'node:http';
import { PaycertError } from '../errors.ts';
import { readBytes, readChunks as readAll, request, TooLarge, Unreachable } from '../system/request.ts';
import type { Access } from './access.ts';
import { malformed, toError, unreachable } from './responses.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** With its query. */
  readonly path: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: unknown;
  /** `get secrets "wechat-main" in namespace "pay"`: what was asked, for the person who must permit it. */
  readonly what: string;
}

/** A connection on which nothing moves for so long is given up. A watch has its own limit once it stands. */
const silenceMilliseconds = 10_000;

/** A Secret holds 1 MiB, in base64; a page holds several hundred objects without their data. */
const maxBodyBytes = 64 * 1024 * 1024;

/**
 * The response once its headers are there. `dated` gets the time of every one, of a refusal too.
 * @throws PaycertError of kind source
 */
export async function send(
  access: Access,
  call: Call,
  signal: AbortSignal,
  dated?: (date: string | undefined) => void,
): Promise<IncomingMessage> {
  const answer = await attempt(access, call, signal);
  dated?.(answer.headers.date);
  const { statusCode = 0 } = answer;
  if (statusCode >= 200 && statusCode < 300) return answer;
  throw toError(statusCode, call.what, await readRefusal(answer, signal));
}

const maxRefusalBytes = 64 * 1024;

/** What it says of why, as JSON or text; nothing where that is cut off, too long or never comes. */
async function readRefusal(answer: IncomingMessage, signal: AbortSignal): Promise<unknown> {
  try {
    const text = (await readBytes(answer, maxRefusalBytes, signal)).toString();
    return text.startsWith('{') ? (JSON.parse(text) as unknown) : text;
  } catch {
    signal.throwIfAborted();
    answer.destroy();
    return undefined;
  }
}

async function attempt(access: Access, call: Call, signal: AbortSignal): Promise<IncomingMessage> {
  const { headers, ...options } = await access.prepare();
  const { server } = access;
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  const all = {
    ...options,
    method: call.method,
    path: `${server.pathname.replace(/\/$/, '')}${call.path}`,
    headers: {
      ...(headers as Readonly<Record<string, string>>),
      Accept: call.accept ?? 'application/json',
      'User-Agent': 'paycert',
      ...(body !== undefined && {
        'Content-Type': call.contentType ?? 'application/json',
        'Content-Length': Buffer.byteLength(body),
      }),
    },
  };
  const sending = { body, silenceMilliseconds, mayRepeat: call.method !== 'POST' };
  return request(server, all, sending, signal).catch((error: unknown) => rethrow(error, call.what));
}

function rethrow(error: unknown, what: string): never {
  if (error instanceof Unreachable) throw unreachable(what, error.reason);
  if (error instanceof TooLarge)
    throw new PaycertError('source-too-large', `${what}: the response is larger than ${maxBodyBytes} bytes`);
  throw error;
}

/**
 * The chunks of a response.
 * @throws PaycertError `cluster-unreachable` when the connection breaks
 */
export async function* readChunks(answer: IncomingMessage, what: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield* readAll(answer, signal);
  } catch (error) {
    rethrow(error, what);
  }
}

/** The response as JSON. @throws PaycertError of kind source */
export async function readJson(answer: IncomingMessage, what: string, signal: AbortSignal): Promise<unknown> {
  const bytes = await readBytes(answer, maxBodyBytes, signal).catch((error: unknown) => rethrow(error, what));
  return parseJson(bytes.toString(), what);
}

/** @throws PaycertError `response-malformed` */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's message quotes what it read.
    throw malformed(what);
  }
}
