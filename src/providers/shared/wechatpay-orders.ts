// What both versions of WeChat Pay say of an order, in the same words.
import type { OrderState } from '../querying.ts';

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
