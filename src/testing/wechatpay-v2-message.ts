// What WeChat Pay v2 sends: notifications in XML, signed with the shared key. Written from its documents, on node:crypto alone.
import { createCipheriv, createHmac, hash } from 'node:crypto';

/** What a notification of v2 says, and the key that signs or seals it. */
export interface V2NotificationOptions {
  /** 32 characters. */
  readonly apiV2Key: string;
  /** Without `sign`. A payment unless given: `return_code` and `result_code` are SUCCESS unless they are here. */
  readonly parameters: Readonly<Record<string, string>>;
  /** As the order was signed; MD5 unless given. */
  readonly signType?: 'MD5' | 'HMAC-SHA256';
}

/** Sorted, without empty values, and the key at the end; in upper-case hexadecimal. */
export function signV2(
  parameters: Readonly<Record<string, string>>,
  { apiV2Key, signType = 'MD5' }: Pick<V2NotificationOptions, 'apiV2Key' | 'signType'>,
): string {
  const pairs = Object.entries(parameters).filter(([, value]) => value !== '');
  const text = [...pairs.sort(([a], [b]) => (a < b ? -1 : 1)), ['key', apiV2Key]]
    .map((pair) => pair.join('='))
    .join('&');
  const digest = signType === 'MD5' ? hash('md5', text) : createHmac('sha256', apiV2Key).update(text).digest('hex');
  return digest.toUpperCase();
}

export const writeV2 = (parameters: Readonly<Record<string, string>>): string => {
  const elements = Object.entries(parameters).map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`);
  return `<xml>${elements.join('')}</xml>`;
};

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** The elements of one flat document; none of what is not one. */
export function readV2(body: Uint8Array): Readonly<Record<string, string>> {
  const [, inside = ''] = /^\s*(?:<\?xml[^>]*>\s*)?<xml>(.*)<\/xml>\s*$/s.exec(Buffer.from(body).toString()) ?? [];
  const elements = inside.matchAll(/<(\w+)>(?:<!\[CDATA\[(.*?)\]\]>|([^<]*))<\/\1>/gs);
  const plain = (text: string) => text.replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole);
  return Object.fromEntries([...elements].map(([, name = '', quoted, text = '']) => [name, quoted ?? plain(text)]));
}

/**
 * The result of a payment, as it is posted to `notify_url`: XML, signed with the shared key.
 * @example
 * import { makeV2Notification } from 'paycert/testing';
 *
 * const xml = makeV2Notification({ apiV2Key: 'k'.repeat(32), parameters: { out_trade_no: '1001' } });
 * console.log(xml.includes('<out_trade_no><![CDATA[1001]]></out_trade_no>'), xml.includes('<sign>')); // → true true
 */
export function makeV2Notification(options: V2NotificationOptions): Buffer {
  const { signType } = options;
  const parameters = {
    ...{ return_code: 'SUCCESS', result_code: 'SUCCESS' },
    ...(signType && { sign_type: signType }),
    ...options.parameters,
  };
  return Buffer.from(writeV2({ ...parameters, sign: signV2(parameters, options) }));
}

/**
 * The result of a refund, as it is posted to `notify_url`: no signature, and everything that counts in `req_info`, under AES-256-ECB.
 * @example
 * import { makeV2RefundNotification } from 'paycert/testing';
 *
 * const xml = makeV2RefundNotification({ apiV2Key: 'k'.repeat(32), parameters: { out_refund_no: '1001' } });
 * console.log(xml.includes('<req_info>'), xml.includes('out_refund_no')); // → true false
 */
export function makeV2RefundNotification(options: Omit<V2NotificationOptions, 'signType'>): Buffer {
  const { apiV2Key, parameters } = options;
  const cipher = createCipheriv('aes-256-ecb', hash('md5', apiV2Key), null);
  const inside = writeV2(parameters).replace(/^<xml>(.*)<\/xml>$/s, '<root>$1</root>');
  const sealed = Buffer.concat([cipher.update(inside, 'utf8'), cipher.final()]).toString('base64');
  return Buffer.from(writeV2({ return_code: 'SUCCESS', req_info: sealed }));
}
