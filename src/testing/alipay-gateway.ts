// A gateway on loopback that behaves as Alipay's: it verifies every request and page, v2 and v3, and signs every response.
import { randomUUID, verify as verifyBytes } from 'node:crypto';
import { answerCertify, type Certifications } from './alipay-certify.ts';
import type { AlipayMaterial } from './alipay-material.ts';
import { makeGatewayResponse, makeRestResponse } from './alipay-message.ts';
import { listenOnLoopback } from './loopback.ts';
import type { Answer, Listener, ReceivedRequest } from './loopback.ts';

export interface AlipayGateway extends Listener, AsyncDisposable {
  /** Live: they change with every request. */
  readonly counts: { readonly accepted: number; readonly refused: number };
  /** What requests must be signed with, and responses are, from now on. */
  admit(material: AlipayMaterial): void;
}

export interface AlipayGatewayOptions {
  readonly material: AlipayMaterial;
  /** The platform's clock. */
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

const windowMilliseconds = 600_000;

/** Listens on 127.0.0.1, over HTTP: `/gateway.do` and `/v3/…`. */
export async function startAlipayGateway(options: AlipayGatewayOptions): Promise<AlipayGateway> {
  const { now = () => new Date() } = options;
  let { material } = options;
  const counts = { accepted: 0, refused: 0 };
  const certifications: Certifications = new Map();

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

  /** Query and body are one set of parameters, decoded once. */
  const authenticateGateway = ({ url, body }: ReceivedRequest): URLSearchParams => {
    const form = `${url.slice(url.indexOf('?') + 1)}&${Buffer.from(body).toString()}`;
    const parameters = new URLSearchParams(form);
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
    const text = `${fields}\n${method}\n${url}\n${Buffer.from(body).toString()}\n${tail}`;
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
    const result = answerCertify(apiMethod, business, certifications);
    if (result === 'page') return answer(302, 'text/html', Buffer.from('<html>'), { Location: 'alipays://certify' });
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
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

const answer = (status: number, type: string, body: Uint8Array, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'Content-Type': type, 'alipay-trace-id': randomUUID(), ...headers },
  body,
});
