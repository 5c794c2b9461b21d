// Alipay refusing a signature: the string to sign that its gateway echoes in `sub_msg` or `message`, and what its codes mean.
import { header, splitUrl } from '../shared/http.ts';
import { rawPairs } from '../shared/parameters.ts';
import {
  type Built,
  interpret,
  pathWords,
  type Part,
  plainMethod,
  plainTime,
  type Refusal,
  type Refusals,
  type Sent,
  textOf,
} from '../refusal.ts';
import { parseForm, signedText } from './form.ts';
import { requestMessage } from './rest.ts';
import { sayings } from './sayings.ts';
import { rsaScheme } from './schemes.ts';

const meanings: Readonly<Record<string, Pick<Part, 'cause' | 'plain'>>> = {
  app_id: { cause: 'application' },
  app_cert_sn: { cause: 'key' },
  alipay_root_cert_sn: { cause: 'environment' },
  app_auth_token: { cause: 'token' },
  charset: { cause: 'encoding', plain: /^[A-Za-z]{2,5}-?\d{0,4}$/ },
  timestamp: { cause: 'another-attempt', plain: plainTime },
  nonce: { cause: 'another-attempt' },
  biz_content: { cause: 'body' },
  method: { cause: 'parameter', plain: /^[a-z]{1,24}(?:\.[a-z]{1,24}){1,8}$/ },
  sign_type: { cause: 'parameter', plain: /^(?:RSA2?|SM2)$/ },
};

const toParts = (text: string, separator: string): readonly Part[] =>
  rawPairs(text, separator).map(([name, value]) => ({ name, value, cause: 'parameter', ...meanings[name] }));

const restLines = [
  { name: 'METHOD', cause: 'method', plain: plainMethod },
  { name: 'URL', cause: 'url', words: pathWords },
  { name: 'BODY', cause: 'body' },
] as const satisfies readonly Omit<Part, 'value'>[];

/** v2: sorted parameters. v3: the fields of the header, METHOD, URL, and the body with what follows it. */
function split(text: string): readonly Part[] {
  const [fields = '', verb, ...rest] = text.split('\n');
  if (verb === undefined || !plainMethod.test(verb)) return toParts(text, '&');
  const [url, ...body] = rest;
  const values = [verb, ...(url === undefined ? [] : [url]), ...(body.length > 0 ? [body.join('\n')] : [])];
  return [...toParts(fields, ','), ...values.map((value, index) => ({ ...restLines[index as 0], value }))];
}

const echo = /(?:验签字符串为|(?<!server )string to (?:be )?(?:verified|sign) (?:is|was))(?:\s*[：:])?([^]+)$/i;

/** Of v2, beside what was asked for. */
const success = '10000';

const entities: Readonly<Record<string, string>> = { amp: '&', quot: '"', lt: '<', gt: '>', '#39': "'" };

/** What is left of an ampersand that no HTML has: at the very end, the echo may be cut. */
const bareAmpersand = /&(?!(?:amp|quot|lt|gt|#39);|[a-z#0-9]{0,4}$)/;

/**
 * The gateway escapes its echo for HTML, and not always. One bare ampersand tells, and v2 joins its parameters with it; without
 * any, which is how v3 may look, both readings stand: the one that is more like what was signed counts.
 */
function builtFrom(message: string): readonly Built[] {
  const text = echo.exec(message)?.[1]?.trimStart();
  if (text === undefined) return [];
  const unescaped = text.replace(/&(amp|quot|lt|gt|#39);/g, (_, name: string) => entities[name] ?? '');
  return unescaped === text || bareAmpersand.test(text) ? [{ text }] : [{ text: unescaped }, { text }];
}

/** What a browser shows of the error page of payments, copied: the code, the reason, and the echo up to the end of its line. */
const page = /错误(?:代码|码)[\s：:]*([A-Za-z][\w.-]{2,60})(?:\s*错误(?:原因|信息|描述)([^]*))?/;

/** What follows the echo on a page is not part of it; what a value has of line ends may be. */
const linesOf = (built: readonly Built[]): readonly Built[] =>
  built.flatMap(({ text }) => [{ text: text.split('\n')[0] ?? '' }, { text: text.trimEnd() }]);

/** Where v2 says what went wrong: in the node of the method, or in `error_response`. */
function findNode(body: object): unknown {
  const nodes = Object.entries(body).filter(([name]) => name.endsWith('_response'));
  return nodes.length === 1 ? nodes[0]?.[1] : body;
}

/** v2 signs every parameter of query and form; v3 what its header repeats. */
function rebuild({ method, url, headers, body }: Sent): string | undefined {
  const authorization = header(headers, 'authorization');
  if (authorization !== undefined) {
    const fields = new RegExp(`^${rsaScheme.name} (.*?),sign=`).exec(authorization)?.[1];
    return fields === undefined
      ? undefined
      : requestMessage(fields, { method, url, body }, header(headers, 'alipay-app-auth-token')).toString();
  }
  const pairs = [...parseForm(Buffer.from(splitUrl(url).query), 'url'), ...parseForm(body, 'body')];
  if (!pairs.some(([name]) => name === 'sign')) return undefined;
  return signedText(pairs.filter(([name, value]) => name !== 'sign' && value !== '')).toString();
}

function readRefusal(code: string, message: string, built: readonly Built[]): Refusal {
  const isCode = /^(?:[A-Za-z][A-Za-z._-]{1,63}|\d{5})$/.test(code);
  return { code: isCode ? code : '', built, ...interpret(sayings, code.replace(/^is[vp]\./, ''), message) };
}

export const alipayRefusals: Refusals = {
  platform: 'Alipay',
  codesAt: () => 'https://opendocs.alipay.com/common/02km9f',
  split,
  whenEqual: ['key', 'environment', 'application'],
  read(body) {
    const node = findNode(body);
    const isRest = node === body;
    const code = textOf(node, isRest ? 'code' : 'sub_code') ?? (isRest ? undefined : textOf(node, 'code'));
    const message = textOf(node, isRest ? 'message' : 'sub_msg') ?? (isRest ? undefined : '');
    if (code === undefined || message === undefined || (isRest && !/^[a-z][a-z.-]{2,60}$/.test(code))) return undefined;
    return code === success ? undefined : readRefusal(code, message, builtFrom(message));
  },
  readText(text) {
    const [, code, message = ''] = page.exec(text) ?? [];
    if (code !== undefined) return readRefusal(code, message, linesOf(builtFrom(message)));
    const [told] = /\bis[vp]\.[a-z-]{4,60}\b/.exec(text) ?? [];
    if (told !== undefined) return readRefusal(told, text, linesOf(builtFrom(text)));
    return echo.test(text) ? readRefusal('invalid-signature', text, linesOf(builtFrom(text))) : undefined;
  },
  rebuild,
};
