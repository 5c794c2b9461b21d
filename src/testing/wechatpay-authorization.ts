// Checks a merchant's request as WeChat Pay does: one complaint after another, in WeChat Pay's words (protocols 1.2).
import { verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { ReceivedRequest } from './loopback.ts';
import { readMultipart } from './multipart.ts';

/** A merchant certificate that the gateway knows. */
export interface TrustedCertificate {
  readonly publicKey: KeyObject;
  readonly isRevoked: boolean;
}

/** Who signed a request. */
export interface Caller {
  readonly merchantId: string;
  readonly serialNumber: string;
  readonly nonce: string;
}

/** Why a request is refused: a 401 SIGN_ERROR with this message, in WeChat Pay's words. */
export class SignError extends Error {
  override readonly name = 'SignError';
  /** Only for a signature that does not match. */
  readonly detail: unknown;

  constructor(message: string, detail?: unknown) {
    super(message);
    this.detail = detail;
  }
}

const windowInSeconds = 300;
const fieldNames = ['mchid', 'nonce_str', 'signature', 'timestamp', 'serial_no'] as const;
type Fields = Readonly<Record<(typeof fieldNames)[number], string>>;

/** Throws `SignError` unless the request is signed by a trusted merchant certificate. Replays are the caller's to find. */
export function checkAuthorization(
  request: ReceivedRequest,
  certificatesOf: (merchantId: string) => ReadonlyMap<string, TrustedCertificate> | undefined,
  now: Date,
): Caller {
  const { headers } = request;
  if (!headers['user-agent'] || !headers.accept) throw new SignError('Http头缺少Accept或User-Agent');
  const fields = parseAuthorization(headers.authorization ?? '');

  const certificates = certificatesOf(fields.mchid);
  if (certificates === undefined) throw new SignError('商户未申请过证书');
  const certificate = certificates.get(fields.serial_no);
  if (certificate === undefined) throw new SignError('商户证书序列号有误。请使用签名私钥匹配的证书序列号');
  if (certificate.isRevoked) throw new SignError('商户证书已作废');

  if (Math.abs(Math.floor(now.getTime() / 1000) - Number(fields.timestamp)) > windowInSeconds) {
    throw new SignError('Http头Authorization中的timestamp与发起请求的时间不得超过5分钟');
  }
  const head = `${request.method}\n${request.url}\n${fields.timestamp}\n${fields.nonce_str}\n`;
  // node:http reads a request's first line as latin1: written back so, it is the bytes that were sent.
  const signed = signedBody(request);
  const message = Buffer.concat([Buffer.from(head, 'latin1'), signed, Buffer.from('\n')]);
  if (!verify('sha256', message, certificate.publicKey, Buffer.from(fields.signature, 'base64'))) {
    throw new SignError(
      '错误的签名，验签失败',
      describeMismatch({ ...request, body: signed }, head, message.byteLength),
    );
  }
  return { merchantId: fields.mchid, serialNumber: fields.serial_no, nonce: fields.nonce_str };
}

/** Of an upload the part `meta` is signed (protocols 1.2). */
const signedBody = ({ headers, body }: ReceivedRequest): Uint8Array =>
  readMultipart(headers['content-type'], body)?.find(({ name }) => name === 'meta')?.content ?? body;

/** Tells whether a nonce was used before. It forgets one when its timestamp can no longer be inside the window. */
export function createReplayCheck(): (nonce: string, now: Date) => boolean {
  const seen = new Map<string, number>();
  return (nonce, now) => {
    const time = now.getTime() / 1000;
    for (const [old, usedAt] of seen) {
      if (time - usedAt <= 2 * windowInSeconds) break;
      seen.delete(old);
    }
    const isReplay = seen.has(nonce);
    if (!isReplay) seen.set(nonce, time);
    return isReplay;
  };
}

function parseAuthorization(header: string): Fields {
  const scheme = 'WECHATPAY2-SHA256-RSA2048 ';
  if (header !== '' && !header.startsWith(scheme)) throw new SignError('Http头Authorization认证类型不正确');
  const pairs = header
    .slice(scheme.length)
    .split(',')
    .map((field) => /^(\w+)="([^"]+)"$/.exec(field));
  const fields = Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2]]));
  if (pairs.length !== fieldNames.length || !hasAllFields(fields) || !areWellFormed(fields)) {
    throw new SignError('Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》');
  }
  return fields;
}

function hasAllFields(fields: Readonly<Record<string, string | undefined>>): fields is Fields {
  return fieldNames.every((name) => fields[name] !== undefined);
}

function areWellFormed(fields: Fields): boolean {
  const isBase64 = /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(fields.signature);
  return isBase64 && /^\d+$/.test(fields.timestamp) && /^[0-9A-Za-z]{1,32}$/.test(fields.nonce_str);
}

// The real gateway shows eight bytes of the body.
function describeMismatch(request: ReceivedRequest, head: string, length: number): unknown {
  return {
    field: 'signature',
    location: 'authorization',
    detail: { issue: 'sign not match' },
    sign_information: {
      method: request.method,
      url: request.url,
      truncated_sign_message: `${head}${Buffer.from(request.body.subarray(0, 8)).toString()}\n`,
      sign_message_length: length,
    },
  };
}
