// Asks paycert's sidecar, the same way for every platform. Node 20, nothing else: put it beside your program.
import { request as openHttp } from 'node:http';
import { request as openHttps } from 'node:https';

const socketPath = process.env.PAYCERT_SOCKET ?? '/run/paycert/paycert.sock';
const milliseconds = 10_000;

/** Anything but a 200: `status` 422 means no, 503 means later. `code` is one of docs/errors.md, `hint` says what to do. */
export class Refused extends Error {
  constructor(operation, { title, detail, status, hint }) {
    super(`${operation}: ${title}: ${detail} (${hint})`);
    Object.assign(this, { code: title, status, hint });
  }
}

/** The response of one request, its whole body read. */
function exchange(open, options, body) {
  return new Promise((resolve, reject) => {
    const outgoing = open({ ...options, signal: AbortSignal.timeout(milliseconds) }, (incoming) => {
      const read = async () => ({
        status: incoming.statusCode,
        headers: incoming.headersDistinct,
        bytes: Buffer.concat(await incoming.toArray()),
      });
      read().then(resolve, reject);
    });
    outgoing.on('error', reject).end(body);
  });
}

/** What paycert answers. Rejects with `Refused` unless that is a 200. */
export async function ask(credential, operation, question) {
  const path = `/v1/credentials/${credential}/${operation}`;
  const headers = { 'Content-Type': 'application/json' };
  // A connection for each call costs little here, and none is ever stale.
  const options = { socketPath, path, method: 'POST', headers, agent: false };
  const { status, bytes } = await exchange(openHttp, options, JSON.stringify(question));
  const result = JSON.parse(bytes);
  if (status !== 200) throw new Refused(operation, result);
  return result;
}

/** Has the request signed, sends exactly what was signed, and returns the response as `verify` takes it. */
export async function send(credential, request) {
  const signed = await ask(credential, 'authorize', request);
  const { method, url, headers } = signed;
  // Node's URL and fetch rewrite some addresses, and then the signature is over another one. No redirect is followed.
  const [, scheme, host, path] = /^(https?):\/\/([^/?#]+)(.*)$/.exec(url);
  const { hostname, port } = new URL(`${scheme}://${host}`);
  const target = path.startsWith('/') ? path : `/${path}`;
  const bytes = bytesOf(signed) ?? bytesOf(request) ?? Buffer.alloc(0);
  const length =
    bytes.length > 0 || !['GET', 'HEAD', 'DELETE'].includes(method) ? { 'Content-Length': bytes.length } : {};
  const options = {
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port,
    path: target,
    method,
    headers: { ...headers, ...length },
  };
  const response = await exchange(scheme === 'https' ? openHttps : openHttp, options, bytes);
  return {
    kind: 'response',
    method,
    url,
    apiMethod: request.apiMethod,
    status: response.status,
    headers: Object.fromEntries(Object.entries(response.headers).map(([name, [first]]) => [name, first])),
    bodyBase64: response.bytes.toString('base64'),
  };
}

/** The body of a request: paycert returns it where another one was signed than was given. */
const bytesOf = ({ body, bodyBase64 }) =>
  bodyBase64 === undefined ? body && Buffer.from(body) : Buffer.from(bodyBase64, 'base64');

/** Its body, proven or not. */
export const body = (response) => Buffer.from(response.bodyBase64, 'base64');

/** The response's body if the platform has signed it. Rejects otherwise. */
export async function verify(credential, response) {
  await ask(credential, 'verify', response);
  return body(response);
}
