// One HTTP exchange over a Unix socket or a port, as a caller without a library of ours makes it.
import { type Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Call {
  /** Default: POST with a body, otherwise GET. */
  readonly method?: string | undefined;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders | undefined;
  readonly body?: string | Uint8Array | undefined;
  /** Default: one connection for this exchange alone. */
  readonly agent?: Agent | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** `address` as a listener writes it: the path of a socket, or host:port. */
export function open(address: string, { method, path, headers = {}, body, agent }: Call): ClientRequest {
  const at = address.lastIndexOf(':');
  const target = address.startsWith('/')
    ? { socketPath: address }
    : { host: address.slice(0, at).replace(/^\[|\]$/g, '') || '127.0.0.1', port: address.slice(at + 1) };
  return request({
    ...target,
    path,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers,
    agent: agent ?? false,
  });
}

export async function readResponse(response: IncomingMessage): Promise<Answer> {
  return { status: response.statusCode ?? 0, headers: response.headers, text: await text(response) };
}

export function answerTo(outgoing: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    outgoing.once('error', reject);
    outgoing.once('response', (response) => void readResponse(response).then(resolve, reject));
  });
}

export function exchange(address: string, call: Call): Promise<Answer> {
  const outgoing = open(address, call);
  const answered = answerTo(outgoing);
  outgoing.end(call.body);
  return answered;
}
