// How a response leaves: its head, its text or stream, and an error as a problem, also while its caller still sends.
import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { bufferOf } from '../bytes.ts';
import type { PaycertError } from '../errors.ts';
import { problemOf } from './problem.ts';

export const problemJson = 'application/problem+json';

export interface Head {
  readonly status: number;
  /** The media type of what follows. */
  readonly type: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined;
}

/** Of a body that follows at once. All headers in one list: one by one, Node keeps each of them in a map that nobody reads, and an object is copied. */
export function writeHead(
  response: ServerResponse,
  { status, type, headers = {} }: Head,
  body: string | Uint8Array,
): void {
  const list: (string | readonly string[] | undefined)[] = [];
  for (const name of Object.keys(headers)) list.push(name, headers[name]);
  list.push('Content-Type', type);
  // RFC 9110 §8.6: not beside 204.
  if (status !== 204) list.push('Content-Length', String(Buffer.byteLength(body)));
  response.writeHead(status, list as OutgoingHttpHeader[]);
}

/** No more than this is copied once more to be written in one piece. */
const fewBytes = 16 * 1024;

/** The body whose length `writeHead` has written. A few bytes go as text with a character for each, which Node joins with the head: two pieces cost a tenth more. */
export function endWith(response: ServerResponse, body: string | Uint8Array): void {
  if (typeof body === 'string' || body.byteLength > fewBytes) response.end(body);
  else response.end(bufferOf(body).toString('latin1'), 'latin1');
}

/** Ends when all of it is sent, or when its reader or its origin has gone: then the connection closes in the middle. */
export async function sendStream(
  response: ServerResponse,
  { status, type, headers }: Head,
  body: Readable,
): Promise<void> {
  response.writeHead(status, { ...headers, 'Content-Type': type } as OutgoingHttpHeaders);
  await pipeline(body, response);
}

/** What a listener says with each of its errors. */
export interface Addition {
  readonly headers: Readonly<Record<string, string>>;
  /** Members of the body. */
  readonly members: Readonly<Record<string, string>>;
}

/** Sends an error, at once, whether or not the body has been read. */
export function sendProblem(
  request: IncomingMessage,
  response: ServerResponse,
  error: PaycertError,
  { headers, members }: Partial<Addition> = {},
): void {
  const problem = { ...problemOf(error), ...members };
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  if (problem.status === 503 || problem.status === 429) response.setHeader('Retry-After', '1');
  if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  // Clients with the name and password of a proxy send them only to one that asks for Basic.
  if (problem.status === 407) response.setHeader('Proxy-Authenticate', ['Basic realm="paycert"', 'Bearer']);
  const body = JSON.stringify(problem);
  if (request.complete || request.destroyed) {
    writeHead(response, { status: problem.status, type: problemJson }, body);
    response.end(body);
  } else sendEarly(request, response, problem.status, body);
}

/** How long a caller may keep sending a body that nobody reads. */
const lingerMilliseconds = 2000;

/**
 * A connection that is closed while its caller still sends is reset, and the caller sees that instead of the response
 * (RFC 9112 §9.6). So the response goes out, what is left of the body is dropped, and then the connection closes.
 */
function sendEarly(request: IncomingMessage, response: ServerResponse, status: number, body: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', problemJson);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.setHeader('Connection', 'close');
  response.write(body);
  const end = () => {
    clearTimeout(deadline);
    response.end();
  };
  const deadline = setTimeout(end, lingerMilliseconds);
  request.once('end', end).once('close', end).resume();
}
