// Raw requests, head and all: whatever the bytes, no 5xx but 503, and nothing is answered 200 without the token.
import assert from 'node:assert/strict';
import type { Corpus } from '../corpus.ts';
import { byteMutations } from '../mutate-bytes.ts';
import { mutateText } from '../mutate-text.ts';
import type { Random } from '../random.ts';
import { mutate, type Target } from '../target.ts';
import { assertStatus, startListener, token } from './listener.ts';
import { sendRaw } from './raw.ts';

const mutations = [...byteMutations, ...byteMutations.map(() => mutateText)];
const lines = [
  'Host: evil.example',
  'Host: [::1]:80',
  'X-Forwarded-For: 10.0.0.1',
  'Forwarded: for=10.0.0.1',
  'Origin: https://evil.example',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Content-Length: 0',
  'Content-Length: 99999999999999999999',
  'Content-Length: -1',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'Upgrade: websocket\r\nConnection: Upgrade',
  'Connection: close',
  'Content-Type: text/plain',
  'Content-Encoding: gzip',
  'Authorization: Bearer wrong',
  'Authorization: Basic AAAA',
  '__proto__: a',
  'A: '.padEnd(20_000, 'b'),
  ' folded',
  'no colon',
];
const targets = [
  '/v1/credentials',
  '/v1/credentials/shop',
  '/statusz',
  '/openapi.json',
  '/',
  '*',
  '//',
  '/v1/credentials/%00/sign',
];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'TRACE', 'PATCH', 'PRI', 'get', 'CONNECT'];

function makeRequest(random: Random): Buffer {
  const body = '{"message":"a"}';
  const isGet = random.isOneIn(3);
  const line = isGet
    ? `${random.pick(methods)} ${random.pick(targets)} HTTP/1.${random.isOneIn(10) ? '0' : '1'}`
    : 'POST /v1/credentials/shop/sign HTTP/1.1';
  const head = ['Host: 127.0.0.1', `Authorization: Bearer ${token}`];
  if (!isGet) head.push('Content-Type: application/json', `Content-Length: ${String(body.length)}`);
  for (let count = random.below(3); count > 0; count--) {
    head.splice(random.below(head.length + 1), random.isOneIn(4) ? 1 : 0, random.pick(lines));
  }
  return Buffer.from(`${[line, ...head].join('\r\n')}\r\n\r\n${isGet ? '' : body}`);
}

export async function apiHeads(corpus: Corpus): Promise<Target> {
  const listener = await startListener(corpus);
  return {
    async run(random) {
      const good = makeRequest(random);
      const request = random.isOneIn(3) ? good : mutate(good, mutations, random, [good]);
      const received = await sendRaw(listener.address, request);
      listener.assertNoInternalError();
      if (random.isOneIn(50)) await listener.assertAlive();
      let isAccepted = false;
      for (const [, digits] of received.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
        assertStatus(Number(digits), received);
        isAccepted ||= digits === '200';
      }
      if (isAccepted) assert.ok(request.includes(token), 'nothing is answered without the token');
      return isAccepted ? 'accepted' : 'refused';
    },
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}
