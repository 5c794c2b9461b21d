// What became of an order of WeChat Pay v2: the query by the merchant's number, and what each state means.
import { PaycertError, requestInvalid } from '../../errors.ts';
import { type FoundOrder, type Querying } from '../querying.ts';
import { orderStates, wechatPayOrdersOf, wechatPayTimes } from '../shared/wechatpay-orders.ts';
import type { WechatpayV2Options } from './options.ts';
import { readXml } from './xml.ts';

const form = /^[\w|*@-]{1,32}$/;

export const querying = ({ merchantId }: Pick<WechatpayV2Options, 'merchantId'>): Querying => ({
  ordersOf: wechatPayOrdersOf(merchantId),
  queryOf(number) {
    if (!form.test(number))
      throw requestInvalid('order', 'is no order number: 1 to 32 letters, digits, _, -, |, * and @');
    const body = Buffer.from(`<xml><out_trade_no>${number}</out_trade_no></xml>`);
    return { method: 'POST', target: '/pay/orderquery', headers: { 'content-type': 'text/xml' }, body };
  },
  orderOf,
  afterMilliseconds: wechatPayTimes,
});

function orderOf({ status, body }: Parameters<Querying['orderOf']>[0], number: string): FoundOrder | undefined {
  const said = status === 200 ? elementsOf(body) : new Map<string, string>();
  if (said.get('return_code') !== 'SUCCESS') return undefined;
  const code = said.get('err_code');
  if (said.get('result_code') !== 'SUCCESS')
    return code === 'ORDERNOTEXIST' ? { state: 'absent', said: code } : undefined;
  const word = said.get('trade_state') ?? '';
  const state = said.get('out_trade_no') === number ? orderStates[word] : undefined;
  return state && { state, said: word };
}

function elementsOf(body: Uint8Array): ReadonlyMap<string, string> {
  try {
    return readXml(body);
  } catch (error) {
    if (error instanceof PaycertError) return new Map();
    throw error;
  }
}
