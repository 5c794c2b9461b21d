// How WeChat Pay v2 sends notifications, and what it takes for a yes; refunds have no signature.
import { type Notifying, usualRepeats, usualWait } from '../notifying.ts';
import type { OpenedNotification } from '../provider.ts';
import { textOf } from '../refusal.ts';
import { refundType } from './receiving.ts';

const reply = (code: string) => ({
  type: 'text/xml; charset=utf-8',
  body: `<xml><return_code><![CDATA[${code}]]></return_code><return_msg><![CDATA[${code === 'SUCCESS' ? 'OK' : 'try again later'}]]></return_msg></xml>`,
});

const isRefund = ({ eventType }: OpenedNotification): boolean => eventType === refundType;

/** Number and state: the platform's own id is the same for each state of an order, and its nonce another each time. */
function keyOf(opened: OpenedNotification): string {
  const [number, state] = isRefund(opened) ? ['out_refund_no', 'refund_status'] : ['out_trade_no', 'result_code'];
  const [named, is] = [textOf(opened.resource, number), textOf(opened.resource, state)];
  return named === undefined || is === undefined ? opened.id : `${opened.eventType} ${named} ${is}`;
}

export const notifying: Notifying = {
  accepted: { status: 200, ...reply('SUCCESS') },
  refused: reply('FAIL'),
  waitsMilliseconds: usualWait,
  repeatsMilliseconds: usualRepeats,
  keyOf,
  isSigned: (opened) => !isRefund(opened),
};
