// Routes and what surrounds a call: methods, names, media types, errors as problems.
import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import type { Provider } from '../../src/providers/provider.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { makeMaterial, merchantId, startApi, verdictOf } from '../support/api-server.ts';

const material = await makeMaterial();
const inner = wechatpay({ merchantId });

/** Signs nothing for payments, and has a bug in sign. */
const odd: Provider = {
  ...inner,
  async load(data) {
    const context = await inner.load(data);
    const { paymentParameters: _, ...operations } = context.operations;
    let calls = 0;
    const sign = (message: Uint8Array) => {
      if (calls++ > 0) throw new TypeError('canary of a bug');
      return operations.sign!(message);
    };
    return { ...context, operations: { ...operations, sign } };
  },
};
const api = await startApi({
  shop: { files: material.files },
  odd: { files: material.files, provider: odd },
  empty: {},
});
after(() => api[Symbol.asyncDispose]());
beforeEach(() => void api.events.splice(0));

const json = { 'Content-Type': 'application/json' };
const call = async (method: string, path: string, body?: string, headers: Record<string, string> = json) => {
  const answer = await api.call({ method, path, headers, body });
  return { ...answer, body: JSON.parse(answer.text) as Record<string, unknown> };
};

const hostileNames = [
  '__proto__',
  'constructor',
  'toString',
  '%00',
  '..',
  '%2e%2e',
  '.',
  'SHOP',
  'shop%20',
  "'",
  'x'.repeat(9000),
];

describe('a name that is no credential', () => {
  for (const name of hostileNames) {
    it(`such as ${name.slice(0, 20)} is answered 404, and never becomes a label`, async () => {
      const unknown = [404, 'credential-unknown'];
      assert.deepEqual(verdictOf(await call('GET', `/v1/credentials/${name}`)), unknown);
      assert.deepEqual(verdictOf(await call('POST', `/v1/credentials/${name}/sign`, '{"message":""}')), unknown);
      assert.deepEqual(verdictOf(await call('POST', `/v1/credentials/${name}/sign/batch`, '{"items":[{}]}')), unknown);
      assert.deepEqual(api.events, []);
    });
  }
});

describe('a path that is no route', () => {
  const paths = ['/', '//v1/credentials', '/v1', '/v1/credentials/shop/nothing', '/v1/credentials/shop/__proto__']
    .concat(['/v1/credentials/shop/sign/', '/v1/credentials/shop/sign/batch/', '/v1/credentials/shop/sign/x'])
    .concat([
      '/v1/credentials/shop/constructor',
      '/v1/credentials//sign',
      '/__proto__',
      '/constructor',
      '/metrics',
      '*',
    ])
    .concat(['http://localhost/statusz', '/v2/credentials', '/statusz/', '/openapi.json/']);
  for (const path of paths) {
    it(`such as ${path} is answered 404`, async () => {
      for (const method of ['GET', 'POST']) {
        assert.deepEqual(verdictOf(await call(method, path)), [404, 'route-unknown']);
      }
    });
  }
});

describe('a route', () => {
  it('answers one method, and names it when it is called with another', async () => {
    const routes = {
      '/v1/credentials': 'GET',
      '/v1/credentials/shop': 'GET',
      '/statusz': 'GET',
      '/signed/x': 'GET',
      '/openapi.json': 'GET',
    };
    const calls = { '/v1/credentials/shop/sign': 'POST', '/v1/credentials/shop/sign/batch': 'POST' };
    for (const [path, allowed] of Object.entries({ ...routes, ...calls })) {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PURGE']) {
        if (method === allowed) continue;
        const reply = await call(method, path);
        assert.deepEqual([...verdictOf(reply), reply.headers.allow], [405, 'method-not-allowed', allowed]);
      }
      const head = await api.call({ method: 'HEAD', path });
      assert.deepEqual([head.status, head.text], [405, '']);
    }
  });

  it('does not look at the query', async () => {
    assert.equal((await call('GET', '/statusz?x=1?y')).status, 200);
    assert.equal((await call('POST', '/v1/credentials/shop/sign?x', '{"message":""}')).status, 200);
  });

  it('takes JSON only, whatever its parameters and case', async () => {
    for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/json ;x']) {
      const reply = await call('POST', '/v1/credentials/shop/sign', '{"message":""}', { 'Content-Type': type });
      assert.equal(reply.status, 200, type);
    }
    for (const type of [
      'text/plain',
      'application/jsonp',
      'application/x-www-form-urlencoded',
      '',
      'x, application/json',
    ]) {
      const reply = await call('POST', '/v1/credentials/shop/sign', '{"message":""}', { 'Content-Type': type });
      assert.deepEqual(verdictOf(reply), [415, 'media-type-unsupported'], type);
    }
    const untyped = await call('POST', '/v1/credentials/shop/sign', '{"message":""}', {});
    assert.deepEqual(verdictOf(untyped), [415, 'media-type-unsupported']);
  });
});

describe('an error', () => {
  it('is a problem that names its code, what happened and what to do', async () => {
    const { status, headers, body } = await api.post('sign', { message: 1 });
    assert.deepEqual([status, headers['content-type']], [400, 'application/problem+json']);
    assert.deepEqual(body, {
      type: 'https://paycert.dev/errors/request-invalid',
      title: 'request-invalid',
      status: 400,
      detail: 'message is a number, and must be text: put it in quotes',
      hint: 'Correct the field named; docs/api.md, GET /openapi.json and docs/proxy.md describe every call.',
      field: 'message',
    });
  });

  it('is 503 with Retry-After while a credential is not loaded', async () => {
    const reply = await call('POST', '/v1/credentials/empty/sign', '{"message":""}');
    assert.deepEqual([...verdictOf(reply), reply.headers['retry-after']], [503, 'credential-not-loaded', '1']);
  });

  it('is 404 for an operation that the provider does not have', async () => {
    const input = '{"type":"app","appId":"a","prepayId":"b"}';
    const reply = await call('POST', '/v1/credentials/odd/payment-parameters', input);
    assert.deepEqual(verdictOf(reply), [404, 'operation-unsupported']);
  });

  it('that nobody foresaw tells the caller nothing, and the observer everything', async () => {
    const single = await call('POST', '/v1/credentials/odd/sign', '{"message":""}');
    assert.deepEqual(verdictOf(single), [500, 'internal-error']);
    const batch = await call('POST', '/v1/credentials/odd/sign/batch', '{"items":[{"message":""}]}');
    assert.equal(batch.status, 200);
    assert.match(batch.text, /"title":"internal-error"/);
    assert.ok(!`${single.text}${batch.text}`.includes('canary'));
    const bugs = api.events.flatMap((event) => (event.type === 'internal-error' ? [event.error] : []));
    assert.deepEqual(bugs.map(String), Array(2).fill('TypeError: canary of a bug'));
    const outcomes = api.events.flatMap((event) => (event.type === 'operated' ? [event.outcome] : []));
    assert.deepEqual(outcomes, ['error', 'error']);
  });

  const text = 'CANARY/7f3a+9c=';
  const values = [text, [text], { [`member`]: text }, `${text}\ud800`, 4_242_424_242, null];
  const fields = ['method', 'url', 'body', 'bodyBase64', 'headers', 'encryptionKeyId', 'timestamp', 'nonce', 'message']
    .concat(['messageBase64', 'kind', 'status', 'signature', 'keyId', 'ciphertext', 'algorithm', 'associatedData'])
    .concat(['plaintext', 'type', 'appId', 'prepayId', 'items']);
  it('never echoes a value', async () => {
    const operations = ['authorize', 'sign', 'verify', 'decrypt', 'notification', 'encrypt', 'payment-parameters'];
    for (const operation of operations) {
      for (const field of fields) {
        for (const value of values) {
          const others = {
            method: 'GET',
            url: '/',
            kind: 'response',
            headers: { a: text },
            ciphertext: text,
            type: text,
          };
          for (const input of [{ [field]: value }, { ...others, [field]: value }]) {
            const answer = await api.post(operation, input);
            if (answer.status === 200) continue;
            assert.doesNotMatch(answer.text, /CANARY|4242424242/, JSON.stringify([operation, input]));
          }
        }
      }
    }
    assert.doesNotMatch(JSON.stringify(api.events), /CANARY|4242424242/);
  });
});
