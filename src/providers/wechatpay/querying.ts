// What became of an order of WeChat Pay: the query by the merchant's number, and what each state means.
import { requestInvalid } from '../../errors.ts';
import { type FoundOrder, objectIn, type Querying } from '../querying.ts';
import { orderStates, wechatPayOrdersOf, wechatPayTimes } from '../shared/wechatpay-orders.ts';
import type { WechatpayOptions } from './options.ts';

/** What is in a path is encoded, and signed as it is sent. */
const form = /^[\w|*-]{1,32}$/;

export const querying = ({ merchantId }: WechatpayOptions): Querying => ({
  ordersOf: wechatPayOrdersOf(merchantId),
  queryOf(number) {
    if (!form.test(number)) throw requestInvalid('order', 'is no order number: 1 to 32 letters, digits, _, -, | and *');
    const target = `/v3/pay/transactions/out-trade-no/${encodeURIComponent(number)}?mchid=${merchantId}`;
    return { method: 'GET', target, headers: { accept: 'application/json' }, body: Buffer.alloc(0) };
  },
  orderOf,
  afterMilliseconds: wechatPayTimes,
});

function orderOf({ status, body }: Parameters<Querying['orderOf']>[0], number: string): FoundOrder | undefined {
  const { trade_state: said, out_trade_no: named, code } = objectIn(body);
  if (status === 404 && (code === 'ORDER_NOT_EXIST' || code === 'ORDERNOTEXIST'))
    return { state: 'absent', said: code };
  const state = status === 200 && named === number && typeof said === 'string' ? orderStates[said] : undefined;
  return state && { state, said: String(said) };
}
