// How a response leaves: its head, its text or stream, and an error as a problem, also while its caller still sends.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PaycertError } from '../errors.ts';
import { problemOf } from './problem.ts';

export const problemJson = 'application/problem+json';

export function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  setHead(response, status, type);
  // RFC 9110 §8.6: not beside 204.
  if (status !== 204) response.setHeader('Content-Length', Buffer.byteLength(body));
  response.end(body);
}

/** Ends when all of it is sent, or when its reader or its origin has gone: then the connection closes in the middle. */
export async function sendStream(
  response: ServerResponse,
  status: number,
  type: string,
  body: Readable,
): Promise<void> {
  setHead(response, status, type);
  await pipeline(body, response);
}

/** Sends an error, at once, whether or not the body has been read. */
export function sendProblem(request: IncomingMessage, response: ServerResponse, error: PaycertError): void {
  const problem = problemOf(error);
  if (problem.status === 503 || problem.status === 429) response.setHeader('Retry-After', '1');
  if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  if (problem.status === 407) response.setHeader('Proxy-Authenticate', 'Bearer');
  const body = JSON.stringify(problem);
  if (request.complete || request.destroyed) send(response, problem.status, problemJson, body);
  else sendEarly(request, response, problem.status, body);
}

function setHead(response: ServerResponse, status: number, type: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', type);
}

/** How long a caller may keep sending a body that nobody reads. */
const lingerMilliseconds = 2000;

/**
 * A connection that is closed while its caller still sends is reset, and the caller sees that instead of the response
 * (RFC 9112 §9.6). So the response goes out, what is left of the body is dropped, and then the connection closes.
 */
function sendEarly(request: IncomingMessage, response: ServerResponse, status: number, body: string): void {
  setHead(response, status, problemJson);
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
