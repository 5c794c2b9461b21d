// The byte-exact texts of WeChat Pay APIv3: what is signed, the Authorization header, what a signed answer carries.
import { PaycertError } from '../../errors.ts';
import { header, type Headers, linesAround, pathAndQuery } from '../shared/http.ts';

export const scheme = 'WECHATPAY2-SHA256-RSA2048';

/** WeChat Pay sends wrong signatures on purpose; these are marked. The text is tested, not its bytes: it is valid base64. */
const probePrefix = 'WECHATPAY/SIGNTEST/';

/** The server refuses more than five minutes either way, and so do we. */
const windowSeconds = 300;

/** METHOD ⏎ URL ⏎ TIMESTAMP ⏎ NONCE ⏎ BODY ⏎ */
export function requestMessage(
  method: string,
  url: string,
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

export function authorization(
  merchantId: string,
  nonce: string,
  signature: string,
  timestamp: string,
  serial: string,
): string {
  return `${scheme} mchid="${merchantId}",nonce_str="${nonce}",signature="${signature}",timestamp="${timestamp}",serial_no="${serial}"`;
}

/** What the client of JSAPI and mini-program payments signs: appId ⏎ timeStamp ⏎ nonceStr ⏎ package ⏎, for an app the bare prepay id. */
export function paymentMessage(appId: string, timestamp: string, nonce: string, last: string): Buffer {
  return linesAround(Buffer.from(last), [appId, timestamp, nonce]);
}

export interface ResponseSignature {
  readonly timestamp: string;
  readonly nonce: string;
  readonly signature: string;
  readonly keyId: string;
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
 * The signature headers of an answer or notification, checked in the order that tells most:
 * all present, not a probe, within the window, an algorithm we know.
 * @throws PaycertError `signature-missing`, `signature-probe`, `timestamp-outside-window`, `signature-algorithm-unsupported`
 */
export function readResponseSignature(headers: Headers, now: Date): ResponseSignature {
  const value = (part: keyof typeof headerNames): string => {
    const text = header(headers, headerNames[part]);
    if (text === undefined || text === '') {
      throw new PaycertError('signature-missing', `the header ${headerNames[part]} is missing`, {
        field: headerNames[part],
      });
    }
    return text;
  };
  const answer = {
    timestamp: value('timestamp'),
    nonce: value('nonce'),
    signature: value('signature'),
    keyId: value('keyId'),
  };
  assertNoProbe(answer.signature);
  const seconds = /^\d{1,12}$/.test(answer.timestamp) ? Number(answer.timestamp) : Number.NaN;
  if (!(Math.abs(now.getTime() / 1000 - seconds) <= windowSeconds)) {
    const message = 'the timestamp is not within five minutes of this machine’s clock';
    throw new PaycertError('timestamp-outside-window', message, { field: headerNames.timestamp });
  }
  const algorithm = header(headers, 'wechatpay-signature-type') ?? scheme;
  if (algorithm !== scheme) {
    const message = 'the signature is made with another algorithm';
    throw new PaycertError('signature-algorithm-unsupported', message, { field: 'wechatpay-signature-type' });
  }
  return answer;
}

// Answers that WeChat Pay does not sign: bills, transfer receipts, invoices, complaint pictures (their upload is signed).
const unsignedPaths = [
  /^\/v3\/billdownload\/file(?:\?|$)/,
  /^\/v3\/transferdownload\//,
  /^\/v3\/new-tax-control-fapiao\/download(?:\?|$)/,
  /^\/v3\/(?:global\/)?merchant-service\/images\/(?!upload(?:\?|$))[^/?]+(?:\?|$)/,
];

/** Whether an answer to this address is unsigned by design. */
export function isUnsignedByDesign(url: string): boolean {
  const path = pathAndQuery(url);
  return unsignedPaths.some((pattern) => pattern.test(path));
}
