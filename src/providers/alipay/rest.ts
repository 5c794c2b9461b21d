// Alipay v3, the REST interface: the text that a request signs, its headers, and what a signed answer carries (protocols 2.6).
import { PaycertError } from '../../errors.ts';
import { header, type Headers, linesAround, pathAndQuery } from '../shared/http.ts';
import type { Sender } from './request.ts';

export const scheme = 'ALIPAY-SHA256withRSA';

/** Either way, as for every platform; Alipay documents none for its answers. */
const windowMilliseconds = 300_000;

/** The fields that the header repeats exactly as they are signed. Milliseconds, unlike everybody's seconds. */
export function authorizationFields({ appId, serials }: Sender, nonce: string, now: Date): string {
  const certificate = serials ? `,app_cert_sn=${serials.app}` : '';
  return `app_id=${appId}${certificate},nonce=${nonce},timestamp=${now.getTime()}`;
}

/** FIELDS ⏎ METHOD ⏎ URI ⏎ BODY ⏎, and the token of an application that acts for a merchant in a line of its own. */
export function requestMessage(
  fields: string,
  request: { readonly method: string; readonly url: string; readonly body: Uint8Array },
  appAuthToken: string | undefined,
): Buffer {
  const tail = appAuthToken === undefined ? [] : [appAuthToken];
  return linesAround(request.body, [fields, request.method.toUpperCase(), pathAndQuery(request.url)], tail);
}

/** TIMESTAMP ⏎ NONCE ⏎ BODY ⏎ */
export function responseMessage(timestamp: string, nonce: string, body: Uint8Array): Buffer {
  return linesAround(body, [timestamp, nonce]);
}

export interface ResponseSignature {
  readonly timestamp: string;
  readonly nonce: string;
  readonly signature: string;
  /** The SN of the certificate that signed; absent in key mode. */
  readonly keyId?: string;
}

/**
 * The signature headers of an answer: all present, then within the window.
 * @throws PaycertError `signature-missing`, `timestamp-outside-window`
 */
export function readResponseSignature(headers: Headers, now: Date, mode: 'certificate' | 'key'): ResponseSignature {
  const value = (name: string): string => {
    const text = header(headers, name);
    if (text !== undefined && text !== '') return text;
    throw new PaycertError('signature-missing', `the header ${name} is missing`, { field: name });
  };
  const answer = {
    timestamp: value('alipay-timestamp'),
    nonce: value('alipay-nonce'),
    signature: value('alipay-signature'),
    ...(mode === 'certificate' && { keyId: value('alipay-sn') }),
  };
  const milliseconds = /^\d{1,15}$/.test(answer.timestamp) ? Number(answer.timestamp) : Number.NaN;
  if (!(Math.abs(now.getTime() - milliseconds) <= windowMilliseconds)) {
    const message = 'the timestamp is not within five minutes of this machine’s clock';
    throw new PaycertError('timestamp-outside-window', message, { field: 'alipay-timestamp' });
  }
  return answer;
}
