// One request to the API server, and its answer as bytes or JSON.
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { PaycertError } from '../errors.ts';
import { createLookup } from '../system/lookup.ts';
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

const lookup = createLookup();

/** A connection on which nothing moves for so long is given up. A watch has its own limit once it stands. */
const silenceMilliseconds = 10_000;

const silent = Object.assign(new Error(), { code: `nothing for ${silenceMilliseconds / 1000} s` });

/** A Secret holds 1 MiB, in base64; a page holds several hundred objects without their data. */
const maxBodyBytes = 64 * 1024 * 1024;

/**
 * The answer once its headers are there.
 * @throws PaycertError of kind source
 */
export async function send(access: Access, call: Call, signal: AbortSignal): Promise<IncomingMessage> {
  const answer = await attempt(access, call, signal, call.method !== 'POST');
  const { statusCode = 0 } = answer;
  if (statusCode >= 200 && statusCode < 300) return answer;
  answer.resume();
  throw toError(statusCode, call.what);
}

async function attempt(access: Access, call: Call, signal: AbortSignal, mayRepeat: boolean): Promise<IncomingMessage> {
  const { headers, ...options } = await access.prepare();
  const { server } = access;
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  const make = server.protocol === 'http:' ? httpRequest : httpsRequest;
  const request = make(server, {
    ...options,
    method: call.method,
    path: `${server.pathname.replace(/\/$/, '')}${call.path}`,
    signal,
    lookup,
    headers: {
      ...(headers as Readonly<Record<string, string>>),
      Accept: call.accept ?? 'application/json',
      'User-Agent': 'paycert',
      ...(body !== undefined && {
        'Content-Type': call.contentType ?? 'application/json',
        'Content-Length': Buffer.byteLength(body),
      }),
    },
  });
  request.setTimeout(silenceMilliseconds, () => request.destroy(silent));
  try {
    return await new Promise((resolve, reject) => {
      request.on('response', resolve).on('error', reject).end(body);
    });
  } catch (error) {
    signal.throwIfAborted();
    // The server had closed a connection that was kept, as it does when it restarts: nothing was asked yet.
    if (mayRepeat && request.reusedSocket) return await attempt(access, call, signal, false);
    throw unreachable(call.what, reasonOf(error));
  }
}

/** Node's code, and not its message, which is foreign text. */
const reasonOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';

/**
 * The chunks of an answer.
 * @throws PaycertError `cluster-unreachable` when the connection breaks
 */
export async function* readChunks(answer: IncomingMessage, what: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of answer) yield chunk as Buffer;
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(what, reasonOf(error));
  }
}

/** The answer as JSON. @throws PaycertError of kind source */
export async function readJson(answer: IncomingMessage, what: string, signal: AbortSignal): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of readChunks(answer, what, signal)) {
    size += chunk.length;
    if (size > maxBodyBytes)
      throw new PaycertError('source-too-large', `${what}: the answer is larger than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return parseJson(Buffer.concat(chunks).toString(), what);
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
