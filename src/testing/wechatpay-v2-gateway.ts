// A gateway on loopback that behaves as WeChat Pay v2's: XML, whose signature is checked and made with the shared key.
import { randomUUID } from 'node:crypto';
import { listenOnLoopback } from './loopback.ts';
import type { Answer, Listener, ReceivedRequest } from './loopback.ts';
import { makeV2Notification, makeV2RefundNotification, readV2, signV2, writeV2 } from './wechatpay-v2-message.ts';
import { answerV2, completeV2Refund, type Elements, payV2, type V2Orders } from './wechatpay-v2-orders.ts';

/** A merchant of v2, and the key that both sides have. */
export interface V2Account {
  readonly merchantId: string;
  /** 32 characters. */
  readonly apiV2Key: string;
}

/** What WeChat Pay v2 posts, and where: the `notify_url` of the order or refund. */
export interface V2Posted {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A running double of WeChat Pay v2. */
export interface WechatpayV2Gateway extends Listener, AsyncDisposable {
  /** Live: they change with every request. */
  readonly counts: { readonly accepted: number; readonly refused: number };
  /** Another merchant, or another key of one: requests must be signed with it, and responses are, from now on. */
  admit(account: V2Account): void;
  /** The payer pays: the notification is returned, not posted. Throws `RangeError` unless the order waits to be paid. */
  pay(merchantId: string, outTradeNo: string): V2Posted;
  /** The refund has arrived. The same as `pay`, for a refund that was asked for. */
  completeRefund(merchantId: string, outRefundNo: string): V2Posted;
}

/** Whose requests it accepts. */
export interface WechatpayV2GatewayOptions {
  readonly account: V2Account;
}

interface Merchant extends V2Orders {
  readonly apiV2Key: string;
}

const headers = { 'Content-Type': 'text/xml;charset=utf-8' };
const merchantOf = (request: Elements): string => request['mch_id'] ?? request['mchid'] ?? '';

/**
 * Listens on 127.0.0.1, over HTTP: `/pay/unifiedorder`, `orderquery`, `closeorder`, `refundquery` and `/secapi/pay/refund`; any other
 * path is done. It refuses what is not signed right, as WeChat Pay v2 does, and signs what it says by the `sign_type` of the
 * request. It asks for no certificate in TLS.
 * @example
 * import { startWechatpayV2Gateway } from 'paycert/testing';
 *
 * const account = { merchantId: '1900000001', apiV2Key: 'k'.repeat(32) };
 * await using gateway = await startWechatpayV2Gateway({ account });
 * const body = '<xml><mch_id>1900000001</mch_id><sign>NONE</sign></xml>';
 * const response = await fetch(`${gateway.url}/pay/orderquery`, { method: 'POST', body });
 * console.log((await response.text()).includes('签名错误'), gateway.counts); // → true { accepted: 0, refused: 1 }
 */
export async function startWechatpayV2Gateway(options: WechatpayV2GatewayOptions): Promise<WechatpayV2Gateway> {
  const merchants = new Map<string, Merchant>();
  const counts = { accepted: 0, refused: 0 };

  /** Who has signed it; undefined for what WeChat Pay refuses before it looks any further. */
  const authenticate = ({ sign, ...request }: Elements): Merchant | undefined => {
    const merchant = merchants.get(merchantOf(request));
    return merchant !== undefined && sign === signV2(request, { ...merchant, ...signTypeOf(request) }) ? merchant : undefined;
  }; // prettier-ignore

  const respond = ({ method, url, body }: ReceivedRequest): Answer => {
    const [path = '', query = ''] = url.split('?');
    const request = method === 'GET' ? Object.fromEntries(new URLSearchParams(query)) : readV2(body);
    const merchant = authenticate(request);
    if (merchant === undefined) {
      counts.refused += 1;
      return { status: 200, headers, body: Buffer.from(writeV2({ return_code: 'FAIL', return_msg: '签名错误' })) };
    }
    counts.accepted += 1;
    const { appid } = request;
    const about = { ...(appid && { appid }), mch_id: merchantOf(request), nonce_str: randomUUID().replaceAll('-', '') };
    const said = { return_code: 'SUCCESS', return_msg: 'OK', ...about, ...answerV2(path, merchant, request) };
    const sign = signV2(said, { ...merchant, ...signTypeOf(request) });
    return { status: 200, headers, body: Buffer.from(writeV2({ ...said, sign })) };
  };

  const find = (merchantId: string): Merchant => {
    const merchant = merchants.get(merchantId);
    if (merchant === undefined) throw new RangeError(`Not a merchant of this double: ${merchantId}`);
    return merchant;
  };

  const listener = await listenOnLoopback(0, respond);
  const gateway: WechatpayV2Gateway = {
    ...listener,
    counts,
    admit({ merchantId, apiV2Key }) {
      const none: V2Orders = { orders: new Map(), refunds: new Map() };
      merchants.set(merchantId, { ...none, ...merchants.get(merchantId), apiV2Key });
    },
    pay(merchantId, outTradeNo) {
      const { apiV2Key, ...all } = find(merchantId);
      const { url, parameters } = payV2(all, outTradeNo);
      const about = { mch_id: merchantId, nonce_str: randomUUID().replaceAll('-', ''), ...parameters };
      const signType = signTypeOf(all.orders.get(outTradeNo)?.request ?? {});
      return { url, headers, body: makeV2Notification({ apiV2Key, parameters: about, ...signType }) };
    },
    completeRefund(merchantId, outRefundNo) {
      const { apiV2Key, ...all } = find(merchantId);
      const { url, parameters } = completeV2Refund(all, outRefundNo);
      return { url, headers, body: makeV2RefundNotification({ apiV2Key, parameters }) };
    },
    [Symbol.asyncDispose]: () => listener.close(),
  };
  gateway.admit(options.account);
  return gateway;
}

/** MD5 where the request names none. */
const signTypeOf = ({ sign_type: type }: Elements): { readonly signType?: 'HMAC-SHA256' } =>
  type === 'HMAC-SHA256' ? { signType: type } : {};
