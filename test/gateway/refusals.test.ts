// What is tried again after a platform said no: a query that came too often, and a signature that was made with what has changed since.
import assert from 'node:assert/strict';
import { type RequestListener } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { rotateMerchant } from '../../src/testing/wechatpay-material.ts';
import { signMessage } from '../../src/testing/wechatpay-message.ts';
import { makeMaterial, start } from '../support/api-server.ts';
import { listenFor } from '../support/listening.ts';
import { type Proxied, type ProxiedOptions, shopAt, startProxied } from '../support/proxied.ts';

const material = await makeMaterial();
const [platformKey] = material.platformKeys;
assert.ok(platformKey);
const body = Buffer.from('{"trade_state":"SUCCESS"}');
const signed = signMessage(body, { platformKey, now: start });

const good: RequestListener = (_, response) => void response.writeHead(200, signed.headers).end(body);
const refuse =
  (status: number, headers: Record<string, string> = {}, text = '{"code":"SIGN_ERROR"}'): RequestListener =>
  (_, response) =>
    void response.writeHead(status, headers).end(text);

/** A platform whose responses are these, in order; the last is for all that follow. */
async function serve(t: TestContext, listeners: readonly RequestListener[], options: Partial<ProxiedOptions> = {}) {
  const asked: string[] = [];
  const pauses: number[] = [];
  const double = await listenFor(t, (request, response) => {
    asked.push(/serial_no="(\w+)"/.exec(request.headers.authorization ?? '')?.[1] ?? '');
    listeners[Math.min(asked.length, listeners.length) - 1]?.(request, response);
  });
  const pause = async (milliseconds: number) => void pauses.push(milliseconds);
  const proxied = await startProxied(t, { material, double, pause, ...options });
  return { proxied, asked, pauses };
}

const query = { path: '/shop/v3/pay/transactions/out-trade-no/1?mchid=1900000001' };
const acts = {
  'an order': { path: '/shop/v3/pay/transactions/jsapi', body: '{}' },
  'a refund': { path: '/shop/v3/refund/domestic/refunds', body: '{}' },
  'a GET that has no row': { path: '/shop/v3/marketing/favor/stocks' },
};

const later = (seconds: number) => new Date(start.getTime() + seconds * 1000).toUTCString();

describe('a query that comes too often', () => {
  for (const [what, headers, pause] of [
    ['as long as the platform says', { 'Retry-After': '7' }, 7000],
    ['until the time that the platform says', { 'Retry-After': later(9) }, 9000],
    ['half a second where it says nothing', {}, 500],
    ['half a second where it says what nobody can read', { 'Retry-After': 'soon' }, 500],
    ['not at all where that time is over', { 'Retry-After': later(-9) }, undefined],
  ] as const) {
    it(`waits ${what}, and is sent again`, async (t) => {
      const { proxied, asked, pauses } = await serve(t, [refuse(429, headers), good]);
      const { status, headers: told } = await proxied.call(query);
      assert.deepEqual([status, told['paycert-attempts'], told['paycert-outcome']], [200, '2', 'ok']);
      assert.deepEqual([pauses, asked.length], [pause === undefined ? [] : [pause], 2]);
    });
  }

  it('waits twice as long each time, and gets the last response when its attempts are over', async (t) => {
    for (const [attempts, expected] of [[1, []], [3, [500, 1000]], [5, [500, 1000, 2000, 4000]]] as const) {
      const { proxied, asked, pauses } = await serve(t, [refuse(429)], { attempts });
      const { status, headers } = await proxied.call(query);
      assert.deepEqual([status, headers['paycert-outcome'], asked.length], [429, 'unknown', attempts]);
      assert.deepEqual(pauses, expected);
    }
  }); // prettier-ignore

  it('is answered at once where the platform wants it to wait for longer than it has time', async (t) => {
    const { proxied, asked, pauses } = await serve(t, [refuse(429, { 'Retry-After': '31' }), good]);
    const { status, headers } = await proxied.call(query);
    assert.deepEqual([status, headers['retry-after'], asked.length, pauses], [429, '31', 1, []]);
  });

  it('shares its attempts with connections that break', async (t) => {
    const reset: RequestListener = (request) => void request.socket.destroy();
    const { proxied, asked } = await serve(t, [reset, refuse(503), refuse(429), good]);
    assert.equal((await proxied.call(query)).status, 429);
    assert.equal(asked.length, 3);
  });

  it('is what the other platforms call so, too', async (t) => {
    const shop = shopAt({ aliyun: { endpoints: ['dysmsapi.aliyuncs.com'] } });
    const id = 'LTAI5tPaycertExampleOnly';
    const files = new Map(Object.entries({ access_key_id: id, access_key_secret: 'paycertExampleSecretOf30Chars0' }).map(([name, text]) => [name, Buffer.from(text)]));
    const throttled = refuse(400, {}, '{"Code":"Throttling.User","Message":"Request was denied due to user flow control."}');
    for (const [action, times] of [['QuerySendDetails', 2], ['SendSms', 1]] as const) {
      const { proxied, asked } = await serve(t, [throttled, refuse(200)], { material: { files }, shop });
      const { status } = await proxied.call({ path: `/shop/?Action=${action}&Version=2017-05-25` });
      assert.deepEqual([status, asked.length], [times === 2 ? 200 : 400, times]);
    }
  }); // prettier-ignore
});

describe('a call that acts', () => {
  for (const [what, call] of Object.entries(acts)) {
    it(`is not sent again after 429, 502 or 503, and says to query: ${what}`, async (t) => {
      for (const status of [429, 502, 503]) {
        const { proxied, asked } = await serve(t, [refuse(status, { 'Retry-After': '1' }), good]);
        const answer = await proxied.call(call);
        assert.deepEqual([answer.status, answer.headers['paycert-outcome'], asked.length], [status, 'unknown', 1]);
        assert.equal(answer.headers['retry-after'], '1');
      }
    });
  }
});

describe('a signature that is refused', () => {
  const calls = { ...acts, 'a query': query };
  for (const [what, call] of Object.entries(calls)) {
    it(`is made again, once, with the key that came meanwhile: ${what}`, async (t) => {
      const rotated = await rotateMerchant(material, { now: start });
      const box: { proxied?: Proxied } = {};
      const late: RequestListener = (request, response) =>
        void box.proxied?.load('shop', rotated.files).then(() => refuse(401)(request, response));
      const { proxied, asked } = await serve(t, [late, good]);
      box.proxied = proxied;
      const { status, headers } = await proxied.call(call);
      assert.deepEqual([status, headers['paycert-attempts']], [200, '2']);
      assert.deepEqual(asked, [material.merchant.serialNumber, rotated.merchant.serialNumber]);
      assert.equal(headers['paycert-key-id'], rotated.merchant.serialNumber);
    });
  }

  it('is made again once the clock here was corrected, and is not for a clock that only went on', async (t) => {
    for (const [jump, passed, times] of [[90_000, 0, 2], [-90_000, 0, 2], [90_000, 90_000, 1], [500, 0, 1]] as const) {
      const box: { proxied?: Proxied; elapsed: number } = { elapsed: 0 };
      const corrected: RequestListener = (request, response) => {
        if (box.proxied) box.proxied.clock.time = new Date(start.getTime() + jump);
        box.elapsed = passed;
        refuse(401)(request, response);
      };
      const { proxied, asked } = await serve(t, [corrected, good], { milliseconds: () => box.elapsed, attempts: 2 });
      box.proxied = proxied;
      assert.equal((await proxied.call(query)).status, times === 2 ? 200 : 401);
      assert.equal(asked.length, times);
    }
  }); // prettier-ignore

  it('is not made again where nothing has changed, nor a second time, nor beyond the attempts', async (t) => {
    const still = await serve(t, [refuse(401), good]);
    const { status, headers } = await still.proxied.call(query);
    assert.deepEqual([status, headers['paycert-outcome'], still.asked.length], [401, 'refused', 1]);
    for (const [attempts, times] of [[3, 2], [1, 1]] as const) {
      const box: { proxied?: Proxied } = {};
      const jumping: RequestListener = (request, response) => {
        if (box.proxied) box.proxied.clock.time = new Date(box.proxied.clock.time.getTime() + 90_000);
        refuse(401)(request, response);
      };
      const { proxied, asked } = await serve(t, [jumping], { attempts });
      box.proxied = proxied;
      assert.equal((await proxied.call(query)).status, 401);
      assert.equal(asked.length, times);
    }
  }); // prettier-ignore
});
