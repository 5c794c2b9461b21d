// A gateway on loopback that behaves as Alipay's: it verifies every request and page, v2 and v3, and signs every response.
import { randomUUID, verify as verifyBytes } from 'node:crypto';
import { answerCertificate } from './alipay-certificates.ts';
import { answerCertify, type Certifications } from './alipay-certify.ts';
import type { AlipayMaterial } from './alipay-material.ts';
import { makeAlipayNotification, makeGatewayResponse, makeRestResponse } from './alipay-message.ts';
import type { AlipayMessage } from './alipay-message.ts';
import { answerTrade, payTrade } from './alipay-trades.ts';
import type { Trades } from './alipay-trades.ts';
import { listenOnLoopback } from './loopback.ts';
import type { Answer, Listener, ReceivedRequest } from './loopback.ts';
import { readMultipart } from './multipart.ts';

/** What Alipay posts when a trade is paid, and where; and where the payer's browser goes, if the shop named a `return_url`. */
export interface AlipayPosted extends AlipayMessage {
  readonly url: string;
  /** With what Alipay appended and signed. */
  readonly returnUrl: string;
}

/** A running double of Alipay's gateway. */
export interface AlipayGateway extends Listener, AsyncDisposable {
  /** Live: they change with every request. */
  readonly counts: { readonly accepted: number; readonly refused: number };
  /** What requests must be signed with, and responses are, from now on. */
  admit(material: AlipayMaterial): void;
  /**
   * The payer pays what was asked for with alipay.trade.page.pay, wap.pay or app.pay: queries say so from now on. The
   * notification is returned, not posted. Throws `RangeError` unless the trade waits to be paid.
   */
  pay(outTradeNo: string): AlipayPosted;
}

/** Whose requests it accepts. */
export interface AlipayGatewayOptions {
  /** What requests must be signed with, and responses are. */
  readonly material: AlipayMaterial;
  /** The platform's clock: this machine's unless given. */
  readonly now?: () => Date;
}

/** Why a request is refused: Alipay's code, and the words after it. */
class Refusal extends Error {
  readonly code: string;

  constructor(code: string, words = code) {
    super(words);
    this.code = code;
  }
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '"': '&quot;', '<': '&lt;', '>': '&gt;' };

/** Alipay shows the text that it built, escaped for HTML. */
const echo = (text: string): string =>
  `验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：${text.replace(/[&"<>]/g, (mark) => escapes[mark] ?? mark)}`;

const pageOf = (apiMethod: string): string =>
  apiMethod.startsWith('alipay.trade.') ? 'https://excashier.alipay.com/standard/auth.htm' : 'alipays://certify';

const windowMilliseconds = 600_000;

/**
 * Listens on 127.0.0.1, over HTTP: `/gateway.do` and `/v3/…`. It refuses what is not signed right, as Alipay does, and signs
 * its responses.
 * @example
 * import { startAlipayGateway } from 'paycert/testing';
 *
 * await using gateway = await startAlipayGateway({ material: alipay });
 * const { status } = await fetch(`${gateway.url}/v3/alipay/trade/query`, { method: 'POST', body: '{}' });
 * console.log(status, gateway.counts); // → 400 { accepted: 0, refused: 1 }
 */
export async function startAlipayGateway(options: AlipayGatewayOptions): Promise<AlipayGateway> {
  const { now = () => new Date() } = options;
  let { material } = options;
  const counts = { accepted: 0, refused: 0 };
  const certifications: Certifications = new Map();
  const trades: Trades = new Map();

  const verifies = (message: string, signature: string): boolean =>
    verifyBytes('sha256', Buffer.from(message), material.app.publicKey, Buffer.from(signature, 'base64'));

  const assertSerials = (app: string | null | undefined, root: unknown): void => {
    if (material.mode === 'key') return;
    if (app !== material.appSerial) throw new Refusal('isv.app-cert-not-exist');
    if (root !== material.rootSerial) throw new Refusal('isv.invalid-alipay-root-cert-sn');
  };

  const assertFresh = (milliseconds: number): void => {
    if (!(Math.abs(now().getTime() - milliseconds) <= windowMilliseconds)) throw new Refusal('isv.invalid-timestamp');
  };

  /** Query and body are one set of parameters, decoded once. Of an upload, the parts that are no files are parameters too. */
  const authenticateGateway = ({ url, headers, body }: ReceivedRequest): URLSearchParams => {
    const parts = readMultipart(headers['content-type'], body);
    const form = parts === undefined ? Buffer.from(body).toString() : '';
    const parameters = new URLSearchParams(`${url.split('?').slice(1).join('?')}&${form}`);
    for (const { name, isFile, content } of parts ?? []) if (!isFile) parameters.append(name, content.toString());
    const names = [...new Set(parameters.keys())].filter((name) => name !== 'sign').sort();
    const text = names.map((name) => `${name}=${parameters.get(name) ?? ''}`).join('&');
    if (parameters.get('app_id') !== material.appId) throw new Refusal('isv.invalid-app-id');
    assertSerials(parameters.get('app_cert_sn'), parameters.get('alipay_root_cert_sn'));
    assertFresh(Date.parse(`${parameters.get('timestamp')?.replace(' ', 'T') ?? ''}+08:00`));
    if (!verifies(text, parameters.get('sign') ?? '')) throw new Refusal('isv.invalid-signature', echo(text));
    return parameters;
  };

  const authenticateRest = ({ method, url, headers, body }: ReceivedRequest): void => {
    const [, fields = '', sign = ''] = /^ALIPAY-SHA256withRSA (.*?),sign=(.*)$/.exec(headers.authorization ?? '') ?? [];
    const field = (name: string) => new RegExp(`(?:^|,)${name}=([^,]*)`).exec(fields)?.[1];
    const token = headers['alipay-app-auth-token'];
    if (field('app_id') !== material.appId) throw new Refusal('invalid-app-id');
    assertSerials(field('app_cert_sn'), headers['alipay-root-cert-sn']);
    assertFresh(Number(field('timestamp') ?? Number.NaN));
    const tail = typeof token === 'string' ? `${token}\n` : '';
    // Of an upload the part `data` is signed.
    const parts = readMultipart(headers['content-type'], body);
    const signed = parts === undefined ? Buffer.from(body) : parts.find(({ name }) => name === 'data')?.content;
    const text = `${fields}\n${method}\n${url}\n${signed?.toString() ?? ''}\n${tail}`;
    if (!verifies(text, sign)) throw new Refusal('invalid-signature', echo(text));
  };

  const newestKey = () => {
    const alipayKey = material.alipayKeys.at(-1);
    if (alipayKey === undefined) throw new RangeError('The material has no key of Alipay.');
    return { alipayKey, namesCertificate: material.mode === 'certificate', now: now() };
  };

  const answerGateway = (request: ReceivedRequest): Answer => {
    const parameters = authenticateGateway(request);
    const apiMethod = parameters.get('method') ?? '';
    const business = JSON.parse(parameters.get('biz_content') ?? '{}') as Record<string, unknown>;
    const result =
      answerCertificate(apiMethod, business, material) ??
      answerCertify(apiMethod, business, certifications) ??
      answerTrade(apiMethod, business, Object.fromEntries(parameters), trades);
    if (result === 'page') return answer(302, 'text/html', Buffer.from('<html>'), { Location: pageOf(apiMethod) });
    const content = JSON.stringify({ code: '10000', msg: 'Success', ...(result ?? business) });
    return answer(200, 'text/html;charset=utf-8', makeGatewayResponse(apiMethod, content, newestKey()));
  };

  const answerRest = (request: ReceivedRequest): Answer => {
    authenticateRest(request);
    const { headers, body } = makeRestResponse(Buffer.from(JSON.stringify({ path: request.url })), newestKey());
    return answer(200, 'application/json', body, headers);
  };

  const respond = (request: ReceivedRequest): Answer => {
    const isRest = request.url.startsWith('/v3/');
    try {
      const answered = isRest ? answerRest(request) : answerGateway(request);
      counts.accepted += 1;
      return answered;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      counts.refused += 1;
      const { code, message } = error;
      if (isRest) return answer(400, 'application/json', Buffer.from(JSON.stringify({ code, message })));
      const content = { code: '40002', msg: 'Invalid Arguments', sub_code: code, sub_msg: message };
      return answer(200, 'text/html;charset=utf-8', Buffer.from(JSON.stringify({ error_response: content })));
    }
  };

  const listener = await listenOnLoopback(0, respond);
  return {
    ...listener,
    counts,
    admit: (next) => void (material = next),
    pay(outTradeNo) {
      const { alipayKey } = newestKey();
      const { notifyUrl, returnUrl, notification, returned } = payTrade(trades, outTradeNo, material.appId, now());
      const query = Buffer.from(makeAlipayNotification({ alipayKey, parameters: returned }).body).toString();
      const mark = returnUrl.includes('?') ? '&' : '?';
      return {
        ...makeAlipayNotification({ alipayKey, parameters: notification }),
        url: notifyUrl,
        returnUrl: returnUrl === '' ? '' : `${returnUrl}${mark}${query}`,
      };
    },
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

const answer = (status: number, type: string, body: Uint8Array, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'Content-Type': type, 'alipay-trace-id': randomUUID(), ...headers },
  body,
});
