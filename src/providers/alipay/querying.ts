// What became of a trade of Alipay: alipay.trade.query by the merchant's number, and what each status means.
import { requestInvalid } from '../../errors.ts';
import { type FoundOrder, objectIn, type OrderState, type Querying, timesAfter } from '../querying.ts';
import type { AlipayOptions } from './options.ts';
import { gatewayPath } from './written.ts';

const apiMethod = 'alipay.trade.query';

/** `TRADE_CLOSED` is what was refunded as a whole, too. */
const states: Readonly<Record<string, OrderState>> = {
  TRADE_SUCCESS: 'paid',
  TRADE_FINISHED: 'paid',
  TRADE_CLOSED: 'closed',
  WAIT_BUYER_PAY: 'open',
};

/** When notifications come again: 4m/10m/10m/1h/2h/6h/15h. */
export const alipayTimes = timesAfter([4, 10, 10, 60, 120, 360, 900].map((minutes) => minutes * 60_000));

const form = /^\w{1,64}$/;

export const querying = ({ appId }: Pick<AlipayOptions, 'appId'>): Querying => ({
  ordersOf: `Alipay ${appId}`,
  queryOf(number) {
    if (!form.test(number)) throw requestInvalid('order', 'is no order number: 1 to 64 letters, digits and _');
    const fields = { app_id: appId, method: apiMethod, format: 'JSON', version: '1.0', biz_content: JSON.stringify({ out_trade_no: number }) }; // prettier-ignore
    const body = Buffer.from(new URLSearchParams(fields).toString());
    const headers = { 'content-type': 'application/x-www-form-urlencoded;charset=utf-8' };
    return { method: 'POST', target: `${gatewayPath}?charset=utf-8`, headers, body, apiMethod };
  },
  orderOf,
  afterMilliseconds: alipayTimes,
});

function orderOf({ body }: Parameters<Querying['orderOf']>[0], number: string): FoundOrder | undefined {
  const { alipay_trade_query_response: response } = objectIn(body);
  const {
    code,
    sub_code: subCode,
    trade_status: said,
    out_trade_no: named,
  } = (response ?? {}) as Record<string, unknown>;
  if (code === '40004' && subCode === 'ACQ.TRADE_NOT_EXIST') return { state: 'absent', said: subCode };
  const state = code === '10000' && named === number && typeof said === 'string' ? states[said] : undefined;
  return state && { state, said: String(said) };
}
