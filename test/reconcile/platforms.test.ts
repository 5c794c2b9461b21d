// Orders are asked for at each platform's double: signed, verified, and read for what each state means.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { randomNonce } from '../../src/nonce.ts';
import { type PlatformConfig, platformOf } from '../../src/providers/registry.ts';
import { finalStates } from '../../src/providers/querying.ts';
import { openQueries } from '../../src/reconcile/open.ts';
import { aroundEach } from '../../src/store/call.ts';
import { CredentialUse } from '../../src/store/credential-use.ts';
import { within } from '../../src/store/use.ts';
import { createAlipayMaterial } from '../../src/testing/alipay-material.ts';
import { makeGatewayResponse } from '../../src/testing/alipay-message.ts';
import { listenOnLoopback, type ReceivedRequest } from '../../src/testing/loopback.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { startWechatpayGateway } from '../../src/testing/wechatpay-gateway.ts';
import { loadStore, makeMaterial, merchantId, start } from '../support/api-server.ts';
import { exchange } from '../support/http-client.ts';
import { WechatpayV2 } from '../support/wechatpay-v2.ts';

const appId = '2021000000000001';

/** The time of the clock passes; that of the store does not. */
async function ask(t: TestContext, config: PlatformConfig, files: Files, double: string) {
  const { platform, options } = platformOf(config);
  const [origins, forwarding, querying] = [
    platform.origins(options),
    platform.forwards?.(options),
    platform.queries?.(options),
  ];
  const loaded = await loadStore({
    shop: { files, provider: platform.create(options), policy: { origins, forwarding, querying } },
  });
  // A pause between two attempts is over at once, and no deadline comes.
  const clock = {
    now: () => start,
    sleep: (milliseconds: number) => (milliseconds < 30_000 ? Promise.resolve() : new Promise<void>(() => undefined)),
  };
  const observe = () => undefined;
  const around = aroundEach({ observe, milliseconds: () => performance.now(), most: 8 });
  const queries = await openQueries({ store: loaded.store, clock, observe, around, credential: 'shop', double });
  t.after(() => queries.close());
  const of = (order: string) => queries.query(order, new AbortController().signal);
  return { ...loaded, of };
}

describe('an order of WeChat Pay', () => {
  it('is open until it is paid, closed or paid back, as its signed response says', async (t) => {
    const material = await makeMaterial();
    await using gateway = await startWechatpayGateway({ now: () => start });
    gateway.admit(material);
    const { store, of } = await ask(t, { wechatpay: { merchantId } }, material.files, gateway.url);
    const post = async (url: string, value: object) => {
      const call = {
        id: '1',
        caller: { listener: 'x' },
        credential: 'shop',
        operation: 'x',
        startedAt: start,
        signal: new AbortController().signal,
      };
      const use = new CredentialUse(store.current('shop'), within(call), {
        observe: () => undefined,
        nonce: randomNonce,
      });
      const body = JSON.stringify({ mchid: merchantId, ...value });
      const { headers } = await use.authorize({ method: 'POST', url, body });
      const { status } = await exchange(new URL(gateway.url).host, { method: 'POST', path: url, headers, body });
      assert.ok(status < 300, String(status));
    };
    const place = (out_trade_no: string) =>
      post('/v3/pay/transactions/jsapi', { out_trade_no, amount: { total: 1 }, notify_url: 'https://a.example/' });
    for (const order of ['paid', 'back', 'closed', 'open', 'a|b*c']) await place(order);
    gateway.pay(merchantId, 'paid');
    gateway.pay(merchantId, 'a|b*c');
    gateway.pay(merchantId, 'back');
    await post('/v3/refund/domestic/refunds', {
      out_trade_no: 'back',
      out_refund_no: 'r1',
      amount: { refund: 1, total: 1, currency: 'CNY' },
    });
    await post('/v3/pay/transactions/out-trade-no/closed/close', {});
    assert.deepEqual(await of('paid'), { state: 'paid', said: 'SUCCESS' });
    assert.deepEqual(await of('a|b*c'), { state: 'paid', said: 'SUCCESS' });
    assert.deepEqual(await of('back'), { state: 'refunded', said: 'REFUND' });
    assert.deepEqual(await of('closed'), { state: 'closed', said: 'CLOSED' });
    assert.deepEqual(await of('open'), { state: 'open', said: 'NOTPAY' });
  });

  it('is not what a response says that does not verify, and not one of a platform that cannot be reached', async (t) => {
    const material = await makeMaterial();
    const body = Buffer.from(JSON.stringify({ trade_state: 'SUCCESS', out_trade_no: '1' }));
    const forger = await listenOnLoopback(0, () => ({ status: 200, headers: {}, body }));
    const { of } = await ask(t, { wechatpay: { merchantId } }, material.files, forger.url);
    await assert.rejects(of('1'), { code: 'response-unverified' });
    await forger.close();
    await assert.rejects(of('1'), { code: 'gateway-unreachable' });
    for (const number of ['', 'a b', '1/../2', '支付', 'x'.repeat(33)])
      await assert.rejects(of(number), { code: 'request-invalid', field: 'order' });
  });

  it('is absent where the platform says so, signed or not, and that is not final', async (t) => {
    const material = await makeMaterial();
    const body = Buffer.from(JSON.stringify({ code: 'ORDER_NOT_EXIST', message: '订单不存在' }));
    const double = await listenOnLoopback(0, () => ({ status: 404, headers: {}, body }));
    t.after(() => double.close());
    const { of } = await ask(t, { wechatpay: { merchantId } }, material.files, double.url);
    assert.deepEqual(await of('1'), { state: 'absent', said: 'ORDER_NOT_EXIST' });
    assert.ok(!finalStates.has('absent') && !finalStates.has('open'));
  });
});

describe('an order of WeChat Pay v2', () => {
  it('is what its signed XML says, and nothing that it does not name', async (t) => {
    const apiV2Key = 'k'.repeat(32);
    const shop = new WechatpayV2(apiV2Key);
    const asked: string[] = [];
    const double = await listenOnLoopback(0, (request: ReceivedRequest) => {
      asked.push(request.url);
      return shop.respond(request);
    });
    t.after(() => double.close());
    const config = { wechatpayV2: { merchantId, appId: 'wx8888888888888888' } };
    const { of } = await ask(t, config, new Map([['apiv2_key', Buffer.from(apiV2Key)]]), double.url);
    assert.deepEqual(await of('1001'), { state: 'paid', said: 'SUCCESS' });
    assert.deepEqual(asked, ['/pay/orderquery']);
    for (const number of ['', '<a>', 'a&b', 'x'.repeat(33)])
      await assert.rejects(of(number), { code: 'request-invalid' });
  });

  it('has each state that the platform writes', () => {
    const { platform, options } = platformOf({ wechatpayV2: { merchantId, appId: 'wx8888888888888888' } });
    const querying = platform.queries?.(options) ?? assert.fail();
    const of = (xml: string) =>
      querying.orderOf({ status: 200, body: Buffer.from(`<xml><return_code>SUCCESS</return_code>${xml}</xml>`) }, '1')
        ?.state;
    const state = (said: string) =>
      of(`<result_code>SUCCESS</result_code><out_trade_no>1</out_trade_no><trade_state>${said}</trade_state>`);
    const states = ['SUCCESS', 'REFUND', 'CLOSED', 'REVOKED', 'PAYERROR', 'NOTPAY', 'USERPAYING', 'ELSE'].map(state);
    assert.deepEqual(states, ['paid', 'refunded', 'closed', 'closed', 'failed', 'open', 'open', undefined]);
    assert.equal(of('<result_code>FAIL</result_code><err_code>ORDERNOTEXIST</err_code>'), 'absent');
    assert.equal(of('<result_code>FAIL</result_code><err_code>SYSTEMERROR</err_code>'), undefined);
    assert.equal(
      of('<result_code>SUCCESS</result_code><out_trade_no>2</out_trade_no><trade_state>SUCCESS</trade_state>'),
      undefined,
    );
    for (const body of ['', '{}', '<xml>'])
      assert.equal(querying.orderOf({ status: 200, body: Buffer.from(body) }, '1'), undefined);
  });
});

describe('a trade of Alipay', () => {
  it('is what its signed response says, for each status', async (t) => {
    const material = await createAlipayMaterial({ appId, now: start });
    const said: Record<string, object> = {
      paid: { code: '10000', trade_status: 'TRADE_SUCCESS' },
      done: { code: '10000', trade_status: 'TRADE_FINISHED' },
      closed: { code: '10000', trade_status: 'TRADE_CLOSED' },
      open: { code: '10000', trade_status: 'WAIT_BUYER_PAY' },
      absent: { code: '40004', sub_code: 'ACQ.TRADE_NOT_EXIST' },
      other: { code: '10000', trade_status: 'TRADE_SUCCESS', out_trade_no: 'somebody_elses' },
      busy: { code: '20000', sub_code: 'isp.unknow-error' },
    };
    const double = await listenOnLoopback(0, ({ url, body }: ReceivedRequest) => {
      const fields = new URLSearchParams(`${url.split('?')[1] ?? ''}&${Buffer.from(body).toString()}`);
      assert.equal(fields.get('method'), 'alipay.trade.query');
      assert.equal(fields.get('app_id'), appId);
      const { out_trade_no } = JSON.parse(fields.get('biz_content') ?? '') as { out_trade_no: string };
      const content = JSON.stringify({ out_trade_no, ...said[out_trade_no] });
      const [alipayKey] = material.alipayKeys;
      return {
        status: 200,
        headers: { 'Content-Type': 'text/html;charset=utf-8' },
        body: makeGatewayResponse('alipay.trade.query', content, {
          alipayKey: alipayKey!,
          namesCertificate: true,
        }),
      };
    });
    t.after(() => double.close());
    const { of } = await ask(t, { alipay: { appId, mode: 'certificate' } }, material.files, double.url);
    const states = [];
    for (const number of Object.keys(said)) states.push((await of(number))?.state);
    assert.deepEqual(states, ['paid', 'paid', 'closed', 'open', 'absent', undefined, undefined]);
    await assert.rejects(of('a-b'), { code: 'request-invalid' });
  });
});
