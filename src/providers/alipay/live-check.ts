// Whether Alipay takes the application's key: an order is asked for that nobody has placed.
import type { LiveCheck, Verdict } from '../live-check.ts';
import { alipayRefusals } from './refusal.ts';

const apiMethod = 'alipay.trade.query';

/** `10000`: done. `40004`: there is no such order. `40006`: the application may not query orders. The signature is looked at before. */
const pastTheSignature: ReadonlySet<unknown> = new Set(['10000', '40004', '40006']);

export const liveCheck: LiveCheck = {
  request: () => ({ apiMethod, bizContent: '{"out_trade_no":"paycert-live-check"}' }),

  // The status is 200 whatever happened.
  verdictOf({ status, body }): Verdict {
    const content = parsed(body);
    if (status !== 200 || content === undefined) return 'none';
    const node = content['alipay_trade_query_response'] ?? content['error_response'];
    const code = typeof node === 'object' && node !== null && 'code' in node ? node.code : undefined;
    if (pastTheSignature.has(code)) return 'accepted';
    const refusal = alipayRefusals.read(content);
    return refusal?.about === 'signature' && !refusal.code.endsWith('timestamp') ? 'refused' : 'none';
  },
};

function parsed(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
