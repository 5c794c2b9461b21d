// The OpenAPI document is the API: valid, complete both ways, and of one mind with the server about every request.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import fc from 'fast-check';
import Schema from 'typebox/schema';
import { encryptField, encryptResource, makeNotification, signMessage } from '../../src/testing/wechatpay-message.ts';
import { makeMaterial, type Reply, start, startApi } from '../support/api-server.ts';

const material = await makeMaterial();
const [platformKey] = material.platformKeys;
const api = await startApi({ shop: { files: material.files } });
after(() => api[Symbol.asyncDispose]());

interface Content {
  readonly content: Readonly<Record<string, { readonly schema: object }>>;
}
interface Method {
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}
const document = (await api.get('/openapi.json')).body;
const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Method>>>>;
const operations = [
  'authorize',
  'sign',
  'verify',
  'decrypt',
  'notification',
  'encrypt',
  'payment-parameters',
  'report',
];
const batchable = ['authorize', 'sign', 'verify', 'decrypt', 'encrypt'];
const pathOf = (operation: string) => `/v1/credentials/{name}/${operation}`;
const concrete = (path: string) => path.replace('{name}', 'shop');
const compile = ({ content }: Content, type = 'application/json') => Schema.Compile(content[type]!.schema);

/** A valid request of every form. */
const options = { platformKey: platformKey!, now: start };
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const answer = signMessage(Buffer.from('{}'), options);
const notification = makeNotification({ ...options, apiV3Key: material.apiV3Key, resource: {} });
const { algorithm, ciphertext, nonce } = encryptResource('x', { apiV3Key: material.apiV3Key });
const samples: readonly (readonly [operation: string, input: Readonly<Record<string, unknown>>])[] = [
  ['authorize', { method: 'GET', url: '/v3/x?a=b', headers: { Accept: '*/*' }, timestamp: 1, nonce: 'a' }],
  ['authorize', { method: 'POST', url: 'https://example.com/', body: 'x', encryptionKeyId: platformKey!.keyId }],
  ['sign', { message: 'x' }],
  ['sign', { messageBase64: 'eA==' }],
  ['verify', { kind: 'response', headers: answer.headers, body: '{}', status: 200, url: '/' }],
  ['verify', { message: 'x', signature: 'AAAA', keyId: platformKey!.keyId }],
  ['decrypt', { algorithm, ciphertext, nonce, associatedData: '' }],
  ['decrypt', { ciphertext: encryptField(material.merchant.publicKey, 'x') }],
  ['notification', { headers: notification.headers, body: text(notification.body) }],
  ['encrypt', { plaintext: 'x', keyId: platformKey!.keyId }],
  ['payment-parameters', { type: 'jsapi', appId: 'wx1', prepayId: 'wx2' }],
  ['report', { keyId: 'A1', outcome: 'refused' }],
];

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document));
    assert.deepEqual([valid, errors, validator.version], [true, undefined, '3.1']);
  });

  it('lists every route, and no other', () => {
    const gets = ['/v1/credentials', '/v1/credentials/{name}', '/statusz', '/signed/{nonce}', '/openapi.json'].map(
      (path) => `get ${path}`,
    );
    const posts = [...operations, ...batchable.map((name) => `${name}/batch`)].map((name) => `post ${pathOf(name)}`);
    const listed = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    assert.deepEqual(listed.sort(), [...gets, ...posts].sort());
  });

  it('lists routes that the server answers by that method alone', async () => {
    for (const [path, methods] of Object.entries(paths)) {
      const [method = '', ...others] = Object.keys(methods);
      const reply = await api.call({ method: method.toUpperCase(), path: concrete(path) });
      // A sidecar that remembers nothing says so, and not that there is no such route.
      const status = path.startsWith('/signed/') ? 404 : method === 'get' ? 200 : 415;
      assert.equal(reply.status, status, path);
      assert.doesNotMatch(reply.text, /route-unknown/);
      const other = await api.call({ method: method === 'get' ? 'POST' : 'GET', path: concrete(path) });
      assert.deepEqual([other.status, others], [405, []], path);
    }
  });

  it('describes what is answered', async () => {
    for (const [operation, input] of samples) {
      const { responses } = paths[pathOf(operation)]!['post']!;
      const { status, body } = await api.post(operation, input);
      const expected =
        status === 200 ? compile(responses['200']!) : compile(responses['4XX']!, 'application/problem+json');
      assert.ok(expected.Check(body), `${operation}: ${JSON.stringify(body)}`);
      if (!batchable.includes(operation)) continue;
      const batch = await api.post(`${operation}/batch`, { items: [input, {}] });
      assert.ok(compile(paths[pathOf(`${operation}/batch`)]!['post']!.responses['200']!).Check(batch.body), batch.text);
    }
  });
});

const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    '',
    '/',
    'x\n',
    'ü',
    'a b',
    'AAAA',
    'GET',
    -1,
    0,
    1.5,
    1e11,
    99,
    599,
    600,
    true,
    null,
    'x'.repeat(129),
  ),
  fc.constantFrom(
    {},
    { a: 'b' },
    { 'a b': 'c' },
    { a: 'b\r\nc: d' },
    { 'a\n': 1 },
    { a: 1 },
    JSON.parse('{"__proto__":"x"}') as object,
  ),
  fc.constant(Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`h${String(index)}`, '']))),
);
const names = [
  ...new Set(samples.flatMap(([, input]) => Object.keys(input))),
  'bodyBase64',
  'extra',
  '__proto__',
  'toString',
];
/** Set a member, unset a member, or replace the whole. */
const mutation = fc.oneof(
  fc.record({ name: fc.constantFrom(...names), value }),
  fc.record({ name: fc.constantFrom(...names), value: fc.constant(undefined) }),
  fc.record({ name: fc.constant(undefined), value }),
);

function mutate(input: object, { name, value: changed }: { name: string | undefined; value: unknown }): unknown {
  if (name === undefined) return changed;
  const copy: object = { ...input };
  Object.defineProperty(copy, name, { value: changed, enumerable: true, configurable: true, writable: true });
  return JSON.parse(JSON.stringify(copy));
}

/** What no schema of ours says: which members go together, encodings, and which keys there are. */
const beyondSchema =
  /is missing|exclude each other|needs kind|is not valid base64|: decode it once|once too often|is in quotes: |has line ends: |is base64url: |surrogate pair|^algorithm must be|has this id|does not fit|is neither absolute|another one than url/;

describe('a request', () => {
  const requests = new Map(operations.map((name) => [name, compile(paths[pathOf(name)]!['post']!.requestBody!)]));
  const isRefused = ({ status, body }: Reply) =>
    status === 400 && body['title'] === 'request-invalid' && !beyondSchema.test(String(body['detail']));

  it('that is a sample passes the schema and the server', async () => {
    for (const [operation, input] of samples) {
      assert.ok(requests.get(operation)?.Check(input));
      assert.notEqual((await api.post(operation, input)).status, 400, operation);
    }
  });

  it('is refused by the server as invalid exactly when the schema refuses it', async () => {
    const seen = { accepted: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...samples),
        fc.array(mutation, { minLength: 1, maxLength: 2 }),
        async (sample, mutations) => {
          const [operation, valid] = sample;
          const input = mutations.reduce<unknown>(
            (one, change) => mutate(Object(one) === one ? (one as object) : {}, change),
            valid,
          );
          const isAccepted = requests.get(operation)?.Check(input);
          const reply = await api.post(operation, input);
          assert.ok(reply.status < 500, reply.text);
          if (isAccepted) assert.ok(!isRefused(reply), reply.text);
          else assert.deepEqual([reply.status, reply.body['title']], [400, 'request-invalid']);
          seen[isAccepted ? 'accepted' : 'refused'] += 1;
        },
      ),
      { numRuns: 1500 },
    );
    assert.ok(seen.accepted > 150 && seen.refused > 150, JSON.stringify(seen));
  });
});
