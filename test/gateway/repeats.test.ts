// What is sent a second time: only what its platform lets be repeated, once, over a new connection, under a new signature.
import assert from 'node:assert/strict';
import { type RequestListener } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import type { Platform } from '../../src/providers/platform.ts';
import { platforms } from '../../src/providers/registry.ts';
import { makeProbe, signMessage } from '../../src/testing/wechatpay-message.ts';
import { makeMaterial, start } from '../support/api-server.ts';
import { listenFor } from '../support/listening.ts';
import { startProxied } from '../support/proxied.ts';

const material = await makeMaterial();
const [platformKey] = material.platformKeys;
assert.ok(platformKey);
const body = Buffer.from('{"trade_state":"SUCCESS"}');
const signed = signMessage(body, { platformKey, now: start });

/** A platform whose responses are these, in order; the last is for all that follow. */
async function serve(t: TestContext, ...listeners: RequestListener[]) {
  const asked: { readonly nonce: string | undefined; readonly port: number | undefined }[] = [];
  const double = await listenFor(t, (request, response) => {
    const [, nonce] = /nonce_str="(\w+)"/.exec(request.headers.authorization ?? '') ?? [];
    asked.push({ nonce, port: request.socket.remotePort });
    listeners[Math.min(asked.length, listeners.length) - 1]?.(request, response);
  });
  const proxied = await startProxied(t, { material, double });
  return { proxied, asked };
}

const good: RequestListener = (_, response) => void response.writeHead(200, signed.headers).end(body);
const probe: RequestListener = (_, response) => void response.writeHead(200, makeProbe(signed).headers).end(body);
const reset: RequestListener = (request) => void request.socket.destroy();
const cut: RequestListener = (_, response) => {
  response.writeHead(200, { ...signed.headers, 'Content-Length': '100' });
  response.write(body, () => response.destroy());
};

const query = { path: '/shop/v3/pay/transactions/out-trade-no/1?mchid=1900000001' };

describe('a query', () => {
  for (const [what, first] of Object.entries({
    'breaks before its response': reset,
    'breaks within it': cut,
    'is a probe of the platform': probe,
  })) {
    it(`that ${what} is sent once more, over a new connection and under a new signature`, async (t) => {
      const { proxied, asked } = await serve(t, first, good);
      const { status, text, headers } = await proxied.call(query);
      assert.deepEqual([status, text, headers['paycert-attempts']], [200, body.toString(), '2']);
      assert.deepEqual(
        [new Set(asked.map(({ nonce }) => nonce)).size, new Set(asked.map(({ port }) => port)).size],
        [2, 2],
      );
    });
  }

  it('over a connection that was kept and is closed at the other end arrives all the same', async (t) => {
    const { proxied, asked } = await serve(t, good, reset, good);
    assert.equal((await proxied.call(query)).headers['paycert-attempts'], '1');
    const { status, headers } = await proxied.call(query);
    assert.deepEqual([status, headers['paycert-attempts'], asked.length], [200, '2', 3]);
  });

  it('is sent twice at most', async (t) => {
    for (const broken of [reset, probe]) {
      const { proxied, asked } = await serve(t, broken);
      const { status, problem } = await proxied.call(query);
      assert.deepEqual([status, problem?.outcome, asked.length], [502, 'unknown', 2]);
    }
  });

  it('that the platform refuses is not repeated', async (t) => {
    for (const status of [400, 401, 403, 404, 500]) {
      const { proxied, asked } = await serve(t, (_, response) => void response.writeHead(status).end('{}'));
      assert.equal((await proxied.call(query)).status, status);
      assert.equal(asked.length, 1);
    }
  });
});

describe('a call that acts', () => {
  const calls = {
    'an order': { path: '/shop/v3/pay/transactions/jsapi', body: '{}' },
    'a refund': { path: '/shop/v3/refund/domestic/refunds', body: '{}' },
    'a close': { path: '/shop/v3/pay/transactions/out-trade-no/1/close', body: '{}' },
    'a GET that has no row': { path: '/shop/v3/marketing/favor/stocks' },
  };
  for (const [what, call] of Object.entries(calls)) {
    it(`is never sent twice: ${what}`, async (t) => {
      for (const broken of [reset, cut, probe]) {
        const { proxied, asked } = await serve(t, broken, good);
        const { status, problem } = await proxied.call(call);
        assert.deepEqual([status, problem?.outcome, asked.length], [502, 'unknown', 1]);
      }
    });
  }
});

describe('every row of what may be repeated', () => {
  const options = { merchantId: '1', appId: '2', mode: 'key', keyId: '3', scheme: 'sorted' };
  const rows = Object.entries<Platform>(platforms).flatMap(([id, platform]) =>
    (platform.forwards?.(options).repeatable ?? []).map((row) => ({ id, ...row })),
  );
  it('reads, and says where the platform allows it', () => {
    assert.ok(rows.length > 10);
    for (const { id, call, source } of rows) {
      assert.match(call, /^GET \/v3\/|[./]\w*query\w*$|^Query|\/get(?:hb|transfer)info$/, `${id}: ${call}`);
      assert.ok(source.length > 20, call);
    }
  });
});
