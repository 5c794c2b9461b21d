// The double of WeChat Pay v2 keeps orders and refunds as the platform does: through the proxy, and against the public SDK's signatures.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Hash } from 'wechatpay-axios-plugin';
import { readXml, writeXml } from '../../src/providers/wechatpay-v2/xml.ts';
import { startWechatpayV2Gateway } from '../../src/testing/index.ts';
import { shopAt, startProxied } from '../support/proxied.ts';

const merchantId = '1900000001';
const apiV2Key = 'k'.repeat(32);
const account = { merchantId, apiV2Key };

async function serve(t: TestContext) {
  const gateway = await startWechatpayV2Gateway({ account });
  t.after(() => gateway.close());
  const shop = shopAt({ wechatpayV2: { merchantId, appId: 'wx8888888888888888' } });
  const files = new Map([['apiv2_key', Buffer.from(apiV2Key)]]);
  const proxied = await startProxied(t, { material: { files }, shop, double: gateway.url });
  const call = async (path: string, parameters: Readonly<Record<string, string>>) => {
    const body = writeXml(Object.entries({ ...parameters, sign: 'ANY' }));
    const { status, headers, text, problem } = await proxied.call({ path: `/shop${path}`, headers: { 'Content-Type': 'text/xml' }, body }); // prettier-ignore
    const said = problem === undefined ? Object.fromEntries(readXml(Buffer.from(text))) : {};
    return { status, said, verified: headers['paycert-verified'], outcome: headers['paycert-outcome'] };
  };
  return { gateway, call };
}

const about = { appid: 'wx8888888888888888', mch_id: merchantId, nonce_str: 'n' };
const order = {
  ...about,
  ...{ body: '茶 <1>', out_trade_no: '1001', total_fee: '8', spbill_create_ip: '127.0.0.1', trade_type: 'NATIVE' },
  notify_url: 'https://shop.example/paid',
};

describe('the double of WeChat Pay v2', () => {
  for (const [signType, more] of [['MD5', {}], ['HMAC-SHA256', { sign_type: 'HMAC-SHA256' }]] as const)
    it(`takes an order, its payment and what it says is signed, with ${signType}`, async (t) => {
      const { gateway, call } = await serve(t);
      const placed = await call('/pay/unifiedorder', { ...order, ...more });
      assert.deepEqual([placed.status, placed.verified, placed.said['result_code']], [200, 'yes', 'SUCCESS']);
      assert.ok(placed.said['prepay_id'] && placed.said['code_url']);
      const asked = { ...about, ...more, out_trade_no: '1001' };
      assert.equal((await call('/pay/orderquery', asked)).said['trade_state'], 'NOTPAY');
      const { url, body } = gateway.pay(merchantId, '1001');
      assert.throws(() => gateway.pay(merchantId, '1001'), RangeError);
      const { sign, ...posted } = Object.fromEntries(readXml(body));
      assert.deepEqual([url, sign, posted['total_fee']], [order.notify_url, Hash.sign(signType, posted, apiV2Key), '8']);
      assert.equal((await call('/pay/orderquery', asked)).said['trade_state'], 'SUCCESS');
      const again = await call('/pay/unifiedorder', { ...order, ...more });
      assert.deepEqual([again.said['err_code'], again.verified, again.outcome], ['ORDERPAID', 'yes', 'refused']);
      assert.equal((await call('/pay/closeorder', asked)).said['err_code'], 'ORDERPAID');
    }); // prettier-ignore

  it('pays back no more than was paid, and says where a refund is', async (t) => {
    const { gateway, call } = await serve(t);
    await call('/pay/unifiedorder', order);
    const refund = { ...about, out_trade_no: '1001', out_refund_no: 'R1', total_fee: '8', refund_fee: '5', notify_url: 'https://shop.example/refunded' }; // prettier-ignore
    const codeOf = async (path: string, parameters: Record<string, string>) =>
      (await call(path, parameters)).said['err_code'];
    // The proxy shows a certificate at /secapi/…, and this credential has none: asked for as the application itself would.
    const ask = async (parameters: Record<string, string>) => {
      const sign = Hash.sign('MD5', parameters, apiV2Key);
      const body = writeXml(Object.entries({ ...parameters, sign }));
      const response = await fetch(`${gateway.url}/secapi/pay/refund`, { method: 'POST', body });
      return Object.fromEntries(readXml(Buffer.from(await response.arrayBuffer())));
    };
    assert.equal((await ask(refund))['err_code'], 'TRADE_STATE_ERROR');
    gateway.pay(merchantId, '1001');
    const [first, same] = [await ask(refund), await ask(refund)];
    assert.deepEqual([first['result_code'], same['refund_id']], ['SUCCESS', first['refund_id']]);
    assert.equal((await ask({ ...refund, out_refund_no: 'R2' }))['err_code'], 'ERROR');
    assert.equal(await codeOf('/pay/refundquery', { ...about, out_refund_no: 'R9' }), 'REFUNDNOTEXIST');
    assert.equal((await call('/pay/refundquery', { ...about, out_refund_no: 'R1' })).said['refund_status_0'], 'PROCESSING'); // prettier-ignore
    const { url, body } = gateway.completeRefund(merchantId, 'R1');
    assert.deepEqual([url, readXml(body).has('req_info')], ['https://shop.example/refunded', true]);
    assert.equal(
      (await call('/pay/refundquery', { ...about, out_refund_no: 'R1' })).said['refund_status_0'],
      'SUCCESS',
    );
    assert.throws(() => gateway.completeRefund(merchantId, 'R1'), RangeError);
  });

  it('refuses what is not signed with the key that it has now, unsigned as the platform does', async (t) => {
    const { gateway, call } = await serve(t);
    gateway.admit({ merchantId, apiV2Key: 'n'.repeat(32) });
    const { status, said, verified, outcome } = await call('/pay/unifiedorder', order);
    assert.deepEqual([status, said['return_msg'], verified, outcome], [200, '签名错误', 'no', 'refused']);
    assert.ok(gateway.counts.refused > 0 && gateway.counts.accepted === 0);
    assert.throws(() => gateway.pay('1900000009', '1001'), RangeError);
  });

  for (const fault of [{ do: 'unsign' }, { do: 'forge' }, { do: 'reset' }, { do: 'truncate' }] as const)
    it(`that misbehaves (${fault.do}) has placed the order, and nothing of what it says is delivered`, async (t) => {
      const { gateway, call } = await serve(t);
      gateway.misbehave(fault);
      const { status, outcome } = await call('/pay/unifiedorder', order);
      assert.deepEqual([status, outcome, gateway.counts.accepted], [502, 'unknown', 1]);
      assert.equal((await call('/pay/orderquery', { ...about, out_trade_no: '1001' })).said['trade_state'], 'NOTPAY');
    });
});
