// A merchant that has two interfaces of WeChat Pay: an order that one says nothing of is asked for at the other, by a query alone.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Event } from '../../src/events.ts';
import { platformOf } from '../../src/providers/registry.ts';
import { openQueries } from '../../src/reconcile/open.ts';
import { aroundEach } from '../../src/store/call.ts';
import { listenOnLoopback, type ReceivedRequest } from '../../src/testing/loopback.ts';
import { loadStore, makeMaterial, merchantId, start } from '../support/api-server.ts';
import { WechatpayV2 } from '../support/wechatpay-v2.ts';

const material = await makeMaterial();
const apiV2Key = 'k'.repeat(32);
const configs = {
  'wechat-main': { wechatpay: { merchantId } },
  'wechat-v2': { wechatpayV2: { merchantId, appId: 'wx8888888888888888' } },
  stranger: { wechatpayV2: { merchantId: '1900000002', appId: 'wx8888888888888888' } },
} as const;

/** What APIv3 responds with, where it does; v2 knows every order as paid. */
async function scene(t: TestContext, v3: { readonly status: number; readonly body: string } | undefined) {
  const asked: string[] = [];
  const files = new Map([['apiv2_key', Buffer.from(apiV2Key)]]);
  const entries = Object.entries(configs).map(([name, config]) => {
    const { platform, options } = platformOf(config);
    const policy = {
      ...{ origins: platform.origins(options), forwarding: platform.forwards?.(options) },
      querying: platform.queries?.(options),
    };
    const of = { files: name === 'wechat-main' ? material.files : files, provider: platform.create(options), policy };
    return [name, of] as const;
  });
  const { store } = await loadStore(Object.fromEntries(entries));
  const shop = new WechatpayV2(apiV2Key);
  const first = await listenOnLoopback(0, ({ method, url }: ReceivedRequest) => {
    asked.push(`v3 ${method} ${url.split('?')[0] ?? ''}`);
    return { status: 500, headers: {}, ...v3, body: Buffer.from(v3?.body ?? '') };
  });
  const second = await listenOnLoopback(0, (request: ReceivedRequest) => {
    asked.push(`v2 ${request.method} ${request.url}`);
    return shop.respond(request);
  });
  if (v3 === undefined) await first.close();
  t.after(() => Promise.all([first.close(), second.close()]));
  // A pause between two attempts is over at once, and no deadline comes.
  const clock = {
    now: () => start,
    sleep: (milliseconds: number) => (milliseconds < 30_000 ? Promise.resolve() : new Promise<void>(() => undefined)),
  };
  const events: Event[] = [];
  const observe = (event: Event) => void events.push(event);
  const around = aroundEach({ observe, milliseconds: () => performance.now(), most: 8 });
  const open = async (credential: string, instead?: string) => {
    const queries = await openQueries({
      ...{ store, clock, observe, around, credential, double: first.url },
      ...(instead !== undefined && { instead: { store, credential: instead, double: second.url } }),
    });
    t.after(() => queries.close());
    return (order: string) => queries.query(order, new AbortController().signal);
  };
  return { open, asked, fellBack: () => events.filter(({ type }) => type === 'query-fell-back') };
}

describe('an order of a merchant with two interfaces', () => {
  it('is asked for at the other one where the first cannot be reached, which is counted', async (t) => {
    const { open, asked, fellBack } = await scene(t, undefined);
    const query = await open('wechat-main', 'wechat-v2');
    assert.deepEqual(await query('1001'), { state: 'paid', said: 'SUCCESS', from: 'wechat-v2' });
    assert.deepEqual(asked, ['v2 POST /pay/orderquery']);
    const [event] = fellBack();
    assert.ok(event?.type === 'query-fell-back');
    assert.deepEqual([event.credential, event.instead, event.error?.code], ['wechat-main', 'wechat-v2', 'gateway-unreachable']); // prettier-ignore
  });

  it('is asked for at the other one where what the first says does not verify, or is an error of its own', async (t) => {
    const forged = JSON.stringify({ trade_state: 'CLOSED', out_trade_no: '1001' });
    for (const response of [
      { status: 200, body: forged },
      { status: 500, body: '{"code":"SYSTEM_ERROR"}' },
    ]) {
      const { open, asked } = await scene(t, response);
      const query = await open('wechat-main', 'wechat-v2');
      assert.deepEqual(await query('1001'), { state: 'paid', said: 'SUCCESS', from: 'wechat-v2' });
      assert.deepEqual([...new Set(asked)], ['v3 GET /v3/pay/transactions/out-trade-no/1001', 'v2 POST /pay/orderquery']); // prettier-ignore
    }
  });

  it('is not asked for elsewhere where the first says something of it, or it is no number, or none is configured', async (t) => {
    const absent = { status: 404, body: JSON.stringify({ code: 'ORDER_NOT_EXIST' }) };
    const { open, asked, fellBack } = await scene(t, absent);
    const query = await open('wechat-main', 'wechat-v2');
    assert.deepEqual(await query('1001'), { state: 'absent', said: 'ORDER_NOT_EXIST' });
    await assert.rejects(query('no number'), { code: 'request-invalid' });
    const without = await scene(t, undefined);
    await assert.rejects((await without.open('wechat-main'))('1001'), { code: 'gateway-unreachable' });
    for (const one of [asked, without.asked]) assert.ok(!one.some((line) => line.startsWith('v2')));
    assert.deepEqual([...fellBack(), ...without.fellBack()], []);
  });

  it('is never asked for at the interface of another merchant', async (t) => {
    const { open } = await scene(t, undefined);
    for (const instead of ['stranger', 'wechat-main'])
      await assert.rejects(open('wechat-main', instead), { code: 'request-invalid', field: 'fallback' });
  });
});
