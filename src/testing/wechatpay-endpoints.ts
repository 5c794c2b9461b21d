// What the gateway answers once a request's signature is good: orders, refunds, bills, uploads, and the list of platform certificates.
import { randomBytes } from 'node:crypto';
import type { ReceivedRequest } from './loopback.ts';
import { readMultipart } from './multipart.ts';
import type { Caller, TrustedCertificate } from './wechatpay-authorization.ts';
import { billOf, describeBill, takeUpload } from './wechatpay-files.ts';
import type { PlatformKey } from './wechatpay-material.ts';
import { encryptResource, formatTime } from './wechatpay-message.ts';
import {
  closeOrder,
  Declined,
  describeOrder,
  findRefund,
  type Orders,
  placeOrder,
  placeRefund,
} from './wechatpay-orders.ts';

/** What the gateway knows about one merchant. */
export interface Account extends Orders {
  readonly certificates: Map<string, TrustedCertificate>;
  platformKeys: readonly PlatformKey[];
  apiV3Key?: string;
  /** Which platform certificate signs the next answer. */
  turn: number;
}

/** To be written as JSON and signed. Without a body, nothing is signed but that. */
export interface Result {
  readonly status: number;
  readonly body?: unknown;
  /** In place of a body: bytes that are unsigned by design. */
  readonly download?: Uint8Array;
}

interface Call {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
  readonly caller: Caller;
  readonly account: Account;
  readonly now: Date;
}

/** What came of the order, by its kind: an id for the client, or an address for the payer. */
const prepaid: Readonly<Record<string, () => unknown>> = {
  jsapi: () => ({ prepay_id: `wx${randomBytes(17).toString('hex')}` }),
  app: () => ({ prepay_id: `wx${randomBytes(17).toString('hex')}` }),
  native: () => ({ code_url: `weixin://wxpay/bizpayurl?pr=${randomBytes(8).toString('hex')}` }),
  h5: () => ({
    h5_url: `https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx${randomBytes(17).toString('hex')}`,
  }),
};

const routes: readonly { method: string; path: RegExp; answer: (call: Call) => Result }[] = [
  { method: 'POST', path: /^\/v3\/pay\/transactions\/(?:jsapi|app|native|h5)$/, answer: prepay },
  { method: 'GET', path: /^\/v3\/pay\/transactions\/out-trade-no\/(?:[\w*|-]|%7C|%2A)+$/, answer: queryOrder },
  { method: 'POST', path: /^\/v3\/pay\/transactions\/out-trade-no\/(?:[\w*|-]|%7C|%2A)+\/close$/, answer: close },
  { method: 'POST', path: /^\/v3\/refund\/domestic\/refunds$/, answer: refund },
  { method: 'GET', path: /^\/v3\/refund\/domestic\/refunds\/(?:[\w*|@-]|%7C|%2A|%40)+$/, answer: queryRefund },
  { method: 'GET', path: /^\/v3\/certificates$/, answer: listCertificates },
  { method: 'GET', path: /^\/v3\/bill\/tradebill$/, answer: ({ query }) => ({ status: 200, body: describeBill(query.get('bill_date') ?? '') }) }, // prettier-ignore
  { method: 'GET', path: /^\/v3\/billdownload\/file$/, answer: ({ query }) => ({ status: 200, download: billOf(query.get('token') ?? '') }) }, // prettier-ignore
  { method: 'POST', path: /^\/v3\/merchant\/media\/upload$/, answer: upload },
];

/** The response to an authenticated request; 404 for a route it does not have. */
export function answerRequest(request: ReceivedRequest, about: Pick<Call, 'caller' | 'account' | 'now'>): Result {
  const { method, url, headers, body } = request;
  const [path = '', query] = url.split('?', 2);
  const route = routes.find((candidate) => candidate.method === method && candidate.path.test(path));
  if (route === undefined) return fail(404, 'NOT_FOUND', '请求的资源不存在');
  try {
    return route.answer({ path, query: new URLSearchParams(query), contentType: headers['content-type'], body, ...about }); // prettier-ignore
  } catch (error) {
    if (!(error instanceof Declined)) throw error;
    return fail(error.status, error.code, error.message);
  }
}

function prepay({ path, body, caller, account }: Call): Result {
  const order = parseObject(body);
  if (order === undefined) return fail(400, 'PARAM_ERROR', '请求体不是JSON对象');
  if (order['mchid'] !== caller.merchantId) return wrongMerchant('/mchid', 'body');
  placeOrder(account, order);
  return { status: 200, body: prepaid[lastOf(path)]?.() };
}

function queryOrder({ path, query, caller, account }: Call): Result {
  if (query.get('mchid') !== caller.merchantId) return wrongMerchant('mchid', 'query');
  return { status: 200, body: describeOrder(account, lastOf(path), caller.merchantId) };
}

function close({ path, body, caller, account }: Call): Result {
  if (parseObject(body)?.['mchid'] !== caller.merchantId) return wrongMerchant('/mchid', 'body');
  closeOrder(account, lastOf(path.slice(0, -'/close'.length)));
  return { status: 204 };
}

function refund({ body, account, now }: Call): Result {
  const request = parseObject(body);
  if (request === undefined) return fail(400, 'PARAM_ERROR', '请求体不是JSON对象');
  return { status: 200, body: placeRefund(account, request, now) };
}

function queryRefund({ path, account }: Call): Result {
  return { status: 200, body: findRefund(account, lastOf(path)) };
}

function upload({ contentType, body }: Call): Result {
  return { status: 200, body: takeUpload(readMultipart(contentType, body)) };
}

const lastOf = (path: string): string => decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));

/** protocols 1.6: each certificate encrypted with the APIv3 key; 404 when the merchant has a public key only. */
function listCertificates({ account: { apiV3Key, platformKeys } }: Call): Result {
  if (apiV3Key === undefined) return fail(401, 'SIGN_ERROR', '商户未设置APIv3密钥');
  const certificates = platformKeys.flatMap(({ issued }) => issued ?? []);
  if (certificates.length === 0 && platformKeys.length > 0) {
    return fail(404, 'RESOURCE_NOT_EXISTS', '无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。');
  }
  const data = certificates.map(({ serialNumber, notBefore, notAfter, certificate }) => ({
    serial_no: serialNumber,
    effective_time: formatTime(notBefore),
    expire_time: formatTime(notAfter),
    encrypt_certificate: encryptResource(certificate, { apiV3Key, associatedData: 'certificate' }),
  }));
  return { status: 200, body: { data } };
}

function wrongMerchant(field: string, location: string): Result {
  return fail(400, 'PARAM_ERROR', '商户号与签名的商户号不一致', { field, location, issue: 'mchid not match' });
}

function fail(status: number, code: string, message: string, detail?: unknown): Result {
  return { status, body: { code, message, detail } };
}

function parseObject(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
