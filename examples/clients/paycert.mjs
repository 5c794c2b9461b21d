// Asks paycert's sidecar, the same way for every platform. Node 20, nothing else: put it beside your program.
import { request as open } from 'node:http';

const socketPath = process.env.PAYCERT_SOCKET ?? '/run/paycert/paycert.sock';

/** Anything but a 200: `status` 422 means no, 503 means later. `code` is one of docs/errors.md. */
export class Refused extends Error {
  constructor(operation, { title, detail, status }) {
    super(`${operation}: ${title}: ${detail}`);
    Object.assign(this, { code: title, status });
  }
}

/** What paycert answers. Rejects with `Refused` unless that is a 200. */
export async function ask(credential, operation, question) {
  const { status, text } = await new Promise((resolve, reject) => {
    const path = `/v1/credentials/${credential}/${operation}`;
    const headers = { 'Content-Type': 'application/json' };
    // A connection for each call costs little here, and none is ever stale.
    const options = { socketPath, path, method: 'POST', headers, agent: false, signal: AbortSignal.timeout(10_000) };
    const outgoing = open(options, (incoming) => {
      const read = async () => ({
        status: incoming.statusCode,
        text: Buffer.concat(await incoming.toArray()).toString(),
      });
      read().then(resolve, reject);
    });
    outgoing.on('error', reject).end(JSON.stringify(question));
  });
  const result = JSON.parse(text);
  if (status !== 200) throw new Refused(operation, result);
  return result;
}

/** Has the request signed, sends what comes back to the letter, and returns the answer as `verify` takes it. */
export async function send(credential, request) {
  const { method, url, headers, body = request.body } = await ask(credential, 'authorize', request);
  // A signature is good for one address: no redirect is followed.
  const options = { method, headers, body, redirect: 'manual', signal: AbortSignal.timeout(10_000) };
  const answer = await fetch(url, options);
  const bytes = Buffer.from(await answer.arrayBuffer());
  return {
    kind: 'response',
    method,
    url,
    apiMethod: request.apiMethod,
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    bodyBase64: bytes.toString('base64'),
  };
}

/** Its body, proven or not. */
export const body = (answer) => Buffer.from(answer.bodyBase64, 'base64');

/** The answer's body if the platform has signed it. Rejects otherwise. */
export async function verify(credential, answer) {
  await ask(credential, 'verify', answer);
  return body(answer);
}
