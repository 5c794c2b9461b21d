// The byte-exact texts of WeChat Pay APIv3: what is signed, the Authorization header, what a signed response carries.
import { PaycertError } from '../../errors.ts';
import { assertFresh } from '../shared/freshness.ts';
import { header, type Headers, linesAround, pathAndQuery } from '../shared/http.ts';
import { readSignatureHeaders } from '../shared/signature-headers.ts';
import { isScheme, rsaScheme } from './schemes.ts';

/** WeChat Pay sends wrong signatures on purpose; these are marked. The text is tested, not its bytes: it is valid base64. */
const probePrefix = 'WECHATPAY/SIGNTEST/';

/** METHOD ⏎ URL ⏎ TIMESTAMP ⏎ NONCE ⏎ BODY ⏎ */
export function requestMessage(
  { method, url }: { readonly method: string; readonly url: string },
  timestamp: string,
  nonce: string,
  body: Uint8Array,
): Buffer {
  return linesAround(body, [method.toUpperCase(), pathAndQuery(url), timestamp, nonce]);
}

/** TIMESTAMP ⏎ NONCE ⏎ BODY ⏎ */
export function responseMessage(timestamp: string, nonce: string, body: Uint8Array): Buffer {
  return linesAround(body, [timestamp, nonce]);
}

/** What an `Authorization` header says. */
export interface Authorization {
  readonly merchantId: string;
  readonly nonce: string;
  readonly signature: string;
  readonly timestamp: string;
  readonly serial: string;
}

export function authorization(
  { merchantId, nonce, signature, timestamp, serial }: Authorization,
  scheme = rsaScheme.name,
): string {
  return `${scheme} mchid="${merchantId}",nonce_str="${nonce}",signature="${signature}",timestamp="${timestamp}",serial_no="${serial}"`;
}

/** What the client of JSAPI and mini-program payments signs: appId ⏎ timeStamp ⏎ nonceStr ⏎ package ⏎, for an app the bare prepay id. */
export function paymentMessage(appId: string, timestamp: string, nonce: string, last: string): Buffer {
  return linesAround(Buffer.from(last), [appId, timestamp, nonce]);
}

const headerNames = {
  timestamp: 'wechatpay-timestamp',
  nonce: 'wechatpay-nonce',
  signature: 'wechatpay-signature',
  keyId: 'wechatpay-serial',
} as const;

/** @throws PaycertError `signature-probe` */
export function assertNoProbe(signature: string): void {
  if (!signature.startsWith(probePrefix)) return;
  throw new PaycertError('signature-probe', 'the signature is one of WeChat Pay’s own tests', { field: 'signature' });
}

/**
 * The signature headers of a response or notification, checked in the order that tells most:
 * all present, not a probe, within the window, an algorithm we know.
 * @throws PaycertError `signature-missing`, `signature-probe`, `timestamp-outside-window`, `signature-algorithm-unsupported`
 */
export function readResponseSignature(headers: Headers, now: Date): Readonly<Record<keyof typeof headerNames, string>> {
  const signed = readSignatureHeaders(headers, headerNames);
  assertNoProbe(signed.signature);
  assertFresh(signed.timestamp, now, headerNames.timestamp);
  const named = header(headers, 'wechatpay-signature-type');
  if (named !== undefined && !isScheme(named)) {
    const message = 'the signature is made with another algorithm';
    throw new PaycertError('signature-algorithm-unsupported', message, { field: 'wechatpay-signature-type' });
  }
  return signed;
}

// Responses that WeChat Pay does not sign: bills, transfer receipts, invoices, complaint pictures (their upload is signed).
const unsignedPaths = [
  /^\/v3\/billdownload\/file(?:\?|$)/,
  /^\/v3\/transferdownload\//,
  /^\/v3\/new-tax-control-fapiao\/download(?:\?|$)/,
  /^\/v3\/(?:global\/)?merchant-service\/images\/(?!upload(?:\?|$))[^/?]+(?:\?|$)/,
];

/** Whether a response to this address is unsigned by design. */
export function isUnsignedByDesign(url: string): boolean {
  const path = pathAndQuery(url);
  return unsignedPaths.some((pattern) => pattern.test(path));
}
