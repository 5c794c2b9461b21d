// Whatever comes in, the answer is the caller's error or none at all, and the process goes on.
import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { connect } from 'node:net';
import { after, it } from 'node:test';
import fc from 'fast-check';
import { makeMaterial, startApi } from '../support/api-server.ts';
import { exchange } from '../support/http-client.ts';

const material = await makeMaterial();
const api = await startApi({ shop: { files: material.files }, empty: {} });
after(() => api[Symbol.asyncDispose]());

const segment = fc.oneof(
  fc.constantFrom('v1', 'credentials', 'shop', 'empty', 'sign', 'verify', 'decrypt', 'authorize', 'encrypt', 'batch'),
  fc.constantFrom('notification', 'payment-parameters', 'statusz', 'openapi.json', '', '..', '__proto__', '%00', '%'),
  fc.webSegment(),
);
const operation = fc.constantFrom(
  'authorize',
  'sign',
  'verify',
  'decrypt',
  'notification',
  'encrypt',
  'payment-parameters',
);
const path = fc.oneof(
  fc.array(segment, { maxLength: 6 }).map((segments) => `/${segments.join('/')}`),
  operation.map((name) => `/v1/credentials/shop/${name}`),
  operation.map((name) => `/v1/credentials/shop/${name}/batch`),
);
const member = fc.constantFrom(
  'items',
  'message',
  'body',
  'headers',
  'kind',
  'ciphertext',
  'nonce',
  'algorithm',
  'url',
  'method',
);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json(),
  fc.dictionary(member, fc.jsonValue()).map((input) => JSON.stringify(input)),
  fc.array(fc.dictionary(member, fc.jsonValue())).map((items) => JSON.stringify({ items })),
);
const headers = fc.dictionary(
  fc.constantFrom(
    'Content-Type',
    'Accept',
    'Expect',
    'Upgrade',
    'Range',
    'X-Forwarded-For',
    'Authorization',
    'Content-Encoding',
  ),
  fc.oneof(fc.constantFrom('application/json', '100-continue', 'websocket', 'gzip', 'bytes=0-'), fc.webSegment()),
);
const isFit = (status: number) => status < 500 || status === 503;
const isAlive = async () => assert.equal((await api.get('/statusz')).status, 200);

it('a random request is never answered 5xx other than 503', async () => {
  // CONNECT has no answer: Node ends the connection.
  const method = fc.oneof(
    { weight: 3, arbitrary: fc.constant('POST') },
    fc.constantFrom(...METHODS.filter((name) => name !== 'CONNECT')),
  );
  await fc.assert(
    fc.asyncProperty(method, path, fc.boolean(), headers, body, async (verb, to, isJson, given, content) => {
      const typed = { ...given, ...(isJson && { 'Content-Type': 'application/json' }) };
      const length = { 'Content-Length': Buffer.byteLength(content) };
      const { status, text } = await exchange(api.address, {
        method: verb,
        path: to,
        headers: { ...typed, ...length },
        body: content,
      });
      assert.ok(isFit(status), text);
    }),
    { numRuns: 1000 },
  );
  assert.ok(api.events.every(({ type }) => type !== 'internal-error'));
  await isAlive();
});

it('random bytes end with an answer that is the caller’s error, or with none', async () => {
  const line = fc.tuple(fc.constantFrom(...METHODS), path).map(([verb, to]) => `${verb} ${to} HTTP/1.1\r\n`);
  const piece = fc.oneof(
    line,
    fc.constantFrom(
      'Host: a\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Content-Length: 5\r\n',
      '\r\n',
      '5\r\n{}   \r\n',
      '0\r\n\r\n',
    ),
    fc.uint8Array({ maxLength: 30 }),
  );
  await fc.assert(
    fc.asyncProperty(line, fc.array(piece, { maxLength: 12 }), async (first, rest) => {
      const received = await new Promise<string>((resolve) => {
        let answer = '';
        const socket = connect(api.address);
        socket.on('data', (chunk) => (answer += chunk.toString()));
        socket.on('error', () => undefined).on('close', () => resolve(answer));
        socket.end(Buffer.concat([first, ...rest].map((part) => Buffer.from(part))));
      });
      for (const [, status] of received.matchAll(/^HTTP\/1\.1 (\d{3})/gm)) assert.ok(isFit(Number(status)), received);
    }),
    { numRuns: 500 },
  );
  assert.ok(api.events.every(({ type }) => type !== 'internal-error'));
  await isAlive();
});
