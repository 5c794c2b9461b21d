// What both versions of WeChat Pay say of an order, in the same words.
import { type OrderState, timesAfter } from '../querying.ts';

/** APIv3 and v2 have the same ones. */
export const wechatPayOrdersOf = (merchantId: string): string => `WeChat Pay ${merchantId}`;

export const orderStates: Readonly<Record<string, OrderState>> = {
  SUCCESS: 'paid',
  REFUND: 'refunded',
  CLOSED: 'closed',
  REVOKED: 'closed',
  PAYERROR: 'failed',
  NOTPAY: 'open',
  USERPAYING: 'open',
  ACCEPT: 'open',
};

const [second, minute] = [1000, 60_000];

/** When notifications come again: 15s/15s/30s/3m/10m/20m/30m/30m/30m/60m/3h/3h/3h/6h/6h. */
export const wechatPayTimes = timesAfter([
  ...[15 * second, 15 * second, 30 * second],
  ...[3, 10, 20, 30, 30, 30, 60, 180, 180, 180, 360, 360].map((minutes) => minutes * minute),
]);
