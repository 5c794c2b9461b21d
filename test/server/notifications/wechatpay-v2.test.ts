// Notifications of WeChat Pay v2 at the listener: payments by number and state, and refunds, which carry no signature.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeV2Notification, makeV2RefundNotification } from '../../../src/testing/wechatpay-v2-message.ts';
import { merchantId } from '../../support/api-server.ts';
import { filesOf } from '../../support/mtls.ts';
import { startNotified } from '../../support/notified.ts';

const apiV2Key = 'k'.repeat(32);
const material = { files: filesOf({ apiv2_key: apiV2Key }), provider: { wechatpayV2: { merchantId } } };
const xml = (code: string) => new RegExp(`^<xml><return_code><!\\[CDATA\\[${code}\\]\\]></return_code>`);

describe('a notification of WeChat Pay v2', () => {
  it('of a payment is verified by its sign, handed on as JSON, and answered in XML', async (t) => {
    const notified = await startNotified(t, material);
    for (const signType of ['MD5', 'HMAC-SHA256'] as const) {
      const parameters = { out_trade_no: signType, transaction_id: '42', nonce_str: 'n' };
      const response = await notified.post({ body: makeV2Notification({ apiV2Key, parameters, signType }) });
      assert.equal(response.status, 200);
      assert.match(response.text, xml('SUCCESS'));
    }
    const [handed] = notified.application.handed;
    assert.ok(handed);
    assert.equal((JSON.parse(handed.body.toString()) as Record<string, string>)['out_trade_no'], 'MD5');
    const { 'paycert-verified': verified, 'paycert-type': type, 'paycert-id': id } = handed.headers;
    assert.deepEqual([verified, type, id], ['yes', 'TRANSACTION', '42']);
  });

  it('is one by its order number and state, whatever its nonce is', async (t) => {
    const notified = await startNotified(t, material);
    const post = (state: string, nonce: string) =>
      notified.post({ body: makeV2Notification({ apiV2Key, parameters: { out_trade_no: '1', transaction_id: '42', result_code: state, nonce_str: nonce } }) }); // prettier-ignore
    for (const [state, nonce] of [
      ['FAIL', 'a'],
      ['FAIL', 'b'],
      ['SUCCESS', 'c'],
      ['SUCCESS', 'd'],
    ] as const)
      // prettier-ignore
      assert.equal((await post(state, nonce)).status, 200);
    assert.equal(notified.application.handed.length, 2);
  });

  it('of a refund is handed on with the verdict none, once for its number and state', async (t) => {
    const notified = await startNotified(t, material);
    const of = (state: string) => makeV2RefundNotification({ apiV2Key, parameters: { out_refund_no: 'r1', refund_id: '5', refund_status: state } }); // prettier-ignore
    for (const state of ['CHANGE', 'SUCCESS', 'SUCCESS'])
      assert.equal((await notified.post({ body: of(state) })).status, 200);
    const handed = notified.application.handed.map(({ headers }) => [
      headers['paycert-verified'],
      headers['paycert-type'],
    ]);
    assert.deepEqual(handed, [['none', 'REFUND'], ['none', 'REFUND']]); // prettier-ignore
  });

  it('that is forged never reaches the application', async (t) => {
    const notified = await startNotified(t, material);
    const parameters = { out_trade_no: '1', transaction_id: '42' };
    const forged = await notified.post({ body: makeV2Notification({ apiV2Key: 'x'.repeat(32), parameters }) });
    assert.equal(forged.status, 401);
    assert.match(forged.text, xml('FAIL'));
    const refund = await notified.post({ body: makeV2RefundNotification({ apiV2Key: 'x'.repeat(32), parameters }) });
    assert.equal(refund.status, 500);
    assert.equal(notified.application.handed.length, 0);
  });
});
