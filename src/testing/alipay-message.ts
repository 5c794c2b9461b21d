// What Alipay sends: responses of v2 and v3, notifications. Written from its documents, on node:crypto alone.
import { randomUUID, sign as signBytes } from 'node:crypto';
import type { AlipayKey } from './alipay-material.ts';

const sign = ({ privateKey }: AlipayKey, message: string | Uint8Array): string =>
  signBytes('sha256', Buffer.from(message), privateKey).toString('base64');

/** What a response of the v2 gateway is signed with. */
export interface GatewayResponseOptions {
  readonly alipayKey: AlipayKey;
  /** Whether the response names the certificate; it does in certificate mode. */
  readonly namesCertificate?: boolean;
}

/**
 * A signed response of Alipay's v2 gateway: `{"alipay_…_response":…,"alipay_cert_sn":"…","sign":"…"}`. `content` is JSON text, or
 * a ciphertext in quotes, which is signed as it is.
 * @example
 * import { makeGatewayResponse } from 'paycert/testing';
 *
 * const [alipayKey] = alipay.alipayKeys;
 * const body = makeGatewayResponse('alipay.trade.query', '{"code":"10000"}', { alipayKey });
 * console.log(Object.keys(JSON.parse(body.toString()))); // → [ 'alipay_trade_query_response', 'alipay_cert_sn', 'sign' ]
 */
export function makeGatewayResponse(apiMethod: string, content: string, options: GatewayResponseOptions): Buffer {
  const { alipayKey, namesCertificate = true } = options;
  const serial = namesCertificate ? `"alipay_cert_sn":"${alipayKey.serial}",` : '';
  const member = `${apiMethod.replaceAll('.', '_')}_response`;
  return Buffer.from(`{"${member}":${content},${serial}"sign":"${sign(alipayKey, content)}"}`);
}

/** Raw bytes, and the headers that come with them. */
export interface AlipayMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * A signed response of Alipay's v3 gateway: the whole body, and the headers that sign it. Text is taken as its UTF-8 bytes; `now`,
 * which it is dated with, is the time of this machine unless given.
 * @example
 * import { makeRestResponse } from 'paycert/testing';
 *
 * const [alipayKey] = alipay.alipayKeys;
 * const { headers } = makeRestResponse('{"trade_status":"TRADE_SUCCESS"}', { alipayKey });
 * console.log(headers['alipay-sn'] === alipayKey.serial); // → true
 */
export function makeRestResponse(
  content: string | Uint8Array,
  { alipayKey, now = new Date() }: { readonly alipayKey: AlipayKey; readonly now?: Date },
): AlipayMessage {
  const body = typeof content === 'string' ? Buffer.from(content) : content;
  const [timestamp, nonce] = [String(now.getTime()), randomUUID()];
  const message = Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), body, Buffer.from('\n')]);
  const headers = {
    'alipay-timestamp': timestamp,
    'alipay-nonce': nonce,
    'alipay-sn': alipayKey.serial,
    'alipay-signature': sign(alipayKey, message),
  };
  return { headers, body };
}

/** How the bytes of a value are written in the charset of the notification. */
type Encode = (text: string) => Uint8Array;

/** What a notification says, and how it is signed. */
export interface AlipayNotificationOptions {
  readonly alipayKey: AlipayKey;
  /** Of the form, without `sign` and `sign_type`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** V1 leaves sign_type out of the text that is signed, V2 does not (protocols 2.4). V1 unless given. */
  readonly rule?: 'V1' | 'V2';
  /** UTF-8 unless given. */
  readonly encode?: Encode;
}

/**
 * A form with `sign` and `sign_type`, percent-encoded once; also what is appended to a return address.
 * @example
 * import { makeAlipayNotification } from 'paycert/testing';
 *
 * const [alipayKey] = alipay.alipayKeys;
 * const { body } = makeAlipayNotification({ alipayKey, parameters: { out_trade_no: '1001' } });
 * console.log([...new URLSearchParams(Buffer.from(body).toString()).keys()]); // → [ 'out_trade_no', 'sign_type', 'sign' ]
 */
export function makeAlipayNotification(options: AlipayNotificationOptions): AlipayMessage {
  const { alipayKey, parameters, rule = 'V1', encode = (text) => Buffer.from(text) } = options;
  const entries = Object.entries({ ...parameters, sign_type: 'RSA2' }).sort(([a], [b]) => (a < b ? -1 : 1));
  const signed = entries.filter(([name]) => rule === 'V2' || name !== 'sign_type');
  const message = Buffer.concat(
    signed.flatMap(([name, value], index) => [Buffer.from(`${index > 0 ? '&' : ''}${name}=`), encode(value)]),
  );
  const encodeForm = (bytes: Uint8Array) => [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const form = entries.map(([name, value]) => `${name}=${encodeForm(encode(value))}`);
  return {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: Buffer.from([...form, `sign=${encodeURIComponent(sign(alipayKey, message))}`].join('&')),
  };
}

/** `yyyy-MM-dd HH:mm:ss` in Beijing, as Alipay writes times. */
export function alipayTime(time: Date): string {
  return new Date(time.getTime() + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
}
