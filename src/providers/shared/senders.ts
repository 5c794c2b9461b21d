// Whose message it is, by its headers and its form: one that went to the credential of another platform is no forgery.
import { PaycertError } from '../../errors.ts';

export type Sender = 'WeChat Pay APIv3' | 'WeChat Pay v2' | 'Alipay';

interface Message {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** A form begins within so many bytes with what tells it. */
const lookedAt = 8 * 1024;

/** By what no other platform has; undefined where nothing tells. */
function senderOf({ headers = {}, body = new Uint8Array() }: Message): Sender | undefined {
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  if (names.has('wechatpay-signature')) return 'WeChat Pay APIv3';
  if (names.has('alipay-signature')) return 'Alipay';
  const text = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, lookedAt)).toString('latin1');
  if (/^\s*(?:<\?xml[^<]*)?<xml>[^]*<(?:mch_id|return_code|appid)>/.test(text)) return 'WeChat Pay v2';
  if (/^\s*\{[^]*"algorithm"\s*:\s*"AEAD_AES_256_GCM"/.test(text)) return 'WeChat Pay APIv3';
  if (/^\s*\{\s*"(?:alipay_[a-z_]+|error)_response"\s*:/.test(text)) return 'Alipay';
  return /^[^<{]*(?:^|&)(?:notify_id|alipay_cert_sn|auth_app_id)=/.test(text) ? 'Alipay' : undefined;
}

/**
 * What `read` makes of the message, whose platform is `owner`.
 * @throws PaycertError `message-misdirected` in place of a refusal of its form, where it is another platform's
 */
export function readAs<T>(owner: Sender, message: Message, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PaycertError) || !isOfForm(error)) throw error;
    const sender = senderOf(message);
    if (sender === undefined || sender === owner) throw error;
    throw new PaycertError('message-misdirected', `it is a message of ${sender}, and this credential is for ${owner}`);
  }
}

const isOfForm = ({ code, field }: PaycertError): boolean =>
  code === 'signature-missing' || code === 'message-malformed' || (code === 'request-invalid' && field === 'headers');
