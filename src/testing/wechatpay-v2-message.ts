// What WeChat Pay v2 sends: notifications in XML, signed with the shared key. Written from its documents, on node:crypto alone.
import { createCipheriv, createHmac, hash } from 'node:crypto';

export interface V2NotificationOptions {
  readonly apiV2Key: string;
  /** Without `sign`. A payment unless given: `return_code` and `result_code` are SUCCESS unless they are here. */
  readonly parameters: Readonly<Record<string, string>>;
  /** As the order was signed; MD5 unless given. */
  readonly signType?: 'MD5' | 'HMAC-SHA256';
}

/** Sorted, without empty values, and the key at the end; in upper-case hexadecimal. */
function signV2(
  parameters: Readonly<Record<string, string>>,
  { apiV2Key, signType = 'MD5' }: V2NotificationOptions,
): string {
  const pairs = Object.entries(parameters).filter(([, value]) => value !== '');
  const text = [...pairs.sort(([a], [b]) => (a < b ? -1 : 1)), ['key', apiV2Key]]
    .map((pair) => pair.join('='))
    .join('&');
  const digest = signType === 'MD5' ? hash('md5', text) : createHmac('sha256', apiV2Key).update(text).digest('hex');
  return digest.toUpperCase();
}

const writeV2 = (parameters: Readonly<Record<string, string>>): string => {
  const elements = Object.entries(parameters).map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`);
  return `<xml>${elements.join('')}</xml>`;
};

/** The result of a payment, as it is posted to `notify_url`. */
export function makeV2Notification(options: V2NotificationOptions): Buffer {
  const { signType } = options;
  const parameters = {
    ...{ return_code: 'SUCCESS', result_code: 'SUCCESS' },
    ...(signType && { sign_type: signType }),
    ...options.parameters,
  };
  return Buffer.from(writeV2({ ...parameters, sign: signV2(parameters, options) }));
}

/** The result of a refund: no signature, and everything that counts in `req_info`, under AES-256-ECB (protocols 1.13). */
export function makeV2RefundNotification(options: Omit<V2NotificationOptions, 'signType'>): Buffer {
  const { apiV2Key, parameters } = options;
  const cipher = createCipheriv('aes-256-ecb', hash('md5', apiV2Key), null);
  const inside = writeV2(parameters).replace(/^<xml>(.*)<\/xml>$/s, '<root>$1</root>');
  const sealed = Buffer.concat([cipher.update(inside, 'utf8'), cipher.final()]).toString('base64');
  return Buffer.from(writeV2({ return_code: 'SUCCESS', req_info: sealed }));
}
