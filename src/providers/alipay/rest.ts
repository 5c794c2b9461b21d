// Alipay v3, the REST interface: the text that a request signs, its headers, and what a signed response carries (protocols 2.6).
import { assertFresh } from '../shared/freshness.ts';
import { type Headers, linesAround, pathAndQuery } from '../shared/http.ts';
import { readSignatureHeaders } from '../shared/signature-headers.ts';
import type { Sender } from './request.ts';

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

const headerNames = { timestamp: 'alipay-timestamp', nonce: 'alipay-nonce', signature: 'alipay-signature' } as const;
/** The SN of the certificate that signed; in key mode there is none. */
const withKeyId = { ...headerNames, keyId: 'alipay-sn' } as const;

export interface ResponseSignature extends Readonly<Record<keyof typeof headerNames, string>> {
  readonly keyId?: string;
}

/**
 * The signature headers of a response: all present, then within the window, which Alipay documents nowhere.
 * @throws PaycertError `signature-missing`, `timestamp-outside-window`
 */
export function readResponseSignature(headers: Headers, now: Date, mode: 'certificate' | 'key'): ResponseSignature {
  const signed = readSignatureHeaders(headers, mode === 'certificate' ? withKeyId : headerNames);
  assertFresh(signed.timestamp, now, headerNames.timestamp, 'milliseconds');
  return signed;
}
