// WeChat Pay v2 as a shop meets it: orders, their state and notifications, checked and signed by its public SDK.
import assert from 'node:assert/strict';
import { Hash } from 'wechatpay-axios-plugin';
import { readXml, writeXml } from '../../src/providers/wechatpay-v2/xml.ts';
import { makeV2Notification, makeV2RefundNotification } from '../../src/testing/index.ts';
import type { Answer, ReceivedRequest } from '../../src/testing/loopback.ts';

type Parameters = Readonly<Record<string, string>>;

interface Order {
  readonly request: Parameters;
  state: 'NOTPAY' | 'SUCCESS' | 'REFUND';
}

/** What is posted to the `notify_url` of the order. */
export interface PostedV2 {
  readonly url: string;
  readonly body: Uint8Array;
}

/** What an order to the payer of a mini program cannot do without. */
const needed = ['appid', 'mch_id', 'nonce_str', 'body', 'out_trade_no', 'total_fee', 'spbill_create_ip', 'notify_url', 'trade_type', 'openid']; // prettier-ignore

const isDone = { return_code: 'SUCCESS', result_code: 'SUCCESS' };
const refuse = (code: string, words: string): Parameters => ({
  ...{ return_code: 'SUCCESS', result_code: 'FAIL' },
  ...{ err_code: code, err_code_des: words },
});

export class WechatpayV2 {
  readonly #apiV2Key: string;
  readonly #orders = new Map<string, Order>();

  constructor(apiV2Key: string) {
    this.#apiV2Key = apiV2Key;
  }

  /** Signed as the request was. */
  respond({ url, body }: ReceivedRequest): Answer {
    const { sign, ...request } = Object.fromEntries(readXml(body));
    const type = request['sign_type'] === 'HMAC-SHA256' ? 'HMAC-SHA256' : 'MD5';
    assert.equal(sign, Hash.sign(type, request, this.#apiV2Key));
    const said = this.#answer(url, request);
    const content = writeXml(Object.entries({ ...said, sign: Hash.sign(type, said, this.#apiV2Key) }));
    return { status: 200, headers: {}, body: Buffer.from(content) };
  }

  #answer(path: string, request: Parameters): Parameters {
    const { out_trade_no: number = '', out_refund_no: refundNumber = '' } = request;
    if (path === '/pay/unifiedorder') {
      for (const name of needed) assert.ok(request[name], `${name} is missing`);
      this.#orders.set(number, { request, state: 'NOTPAY' });
      return { ...isDone, trade_type: 'JSAPI', prepay_id: `wx${number}` };
    }
    if (path === '/pay/orderquery') {
      // The orders of examples that place none are paid.
      const { state } = this.#orders.get(number) ?? { state: 'SUCCESS' };
      return { ...isDone, trade_state: state, out_trade_no: number };
    }
    assert.equal(path, '/pay/refundquery');
    const order = this.#orders.get(refundNumber.slice(1));
    if (order?.state !== 'REFUND') return refuse('REFUNDNOTEXIST', '不存在的退款单');
    return { ...isDone, out_refund_no_0: refundNumber, refund_status_0: 'SUCCESS' };
  }

  /** The payer pays. */
  pay(number: string): PostedV2 {
    const { request, order } = this.#orderOf(number, 'NOTPAY');
    order.state = 'SUCCESS';
    const { appid = '', mch_id = '', total_fee = '', notify_url: url = '' } = request;
    const parameters = { appid, mch_id, out_trade_no: number, total_fee, transaction_id: `42${number}` };
    return { url, body: makeV2Notification({ apiV2Key: this.#apiV2Key, parameters, signType: 'HMAC-SHA256' }) };
  }

  /** What was asked for in another way has been paid back, under the number of the order after an R. */
  repay(number: string): PostedV2 {
    const { request, order } = this.#orderOf(number, 'SUCCESS');
    order.state = 'REFUND';
    const parameters = { out_trade_no: number, out_refund_no: `R${number}`, refund_id: `50${number}`, refund_status: 'SUCCESS' }; // prettier-ignore
    return {
      url: request['notify_url'] ?? '',
      body: makeV2RefundNotification({ apiV2Key: this.#apiV2Key, parameters }),
    };
  }

  #orderOf(number: string, state: Order['state']) {
    const order = this.#orders.get(number);
    assert.equal(order?.state, state);
    return { order, request: order.request };
  }
}
