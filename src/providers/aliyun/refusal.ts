// Aliyun refusing a signature: the string to sign or the canonical request in its message, and what its codes mean.
import { header, hostOf, splitUrl, withoutHeaders } from '../shared/http.ts';
import { formPairs, type Pair, queryPairs, rawPairs } from '../shared/parameters.ts';
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
import { sayings } from './sayings.ts';
import { acs3, canonicalRequest, hashPayload, rpcStringToSign } from './messages.ts';

const meanings: Readonly<Record<string, Pick<Part, 'cause' | 'plain'>>> = {
  timestamp: { cause: 'another-attempt', plain: plainTime },
  'x-acs-date': { cause: 'another-attempt', plain: plainTime },
  signaturenonce: { cause: 'another-attempt' },
  'x-acs-signature-nonce': { cause: 'another-attempt' },
  accesskeyid: { cause: 'application' },
  securitytoken: { cause: 'token' },
  'x-acs-security-token': { cause: 'token' },
  'x-acs-content-sha256': { cause: 'body' },
  action: { cause: 'parameter', plain: /^[A-Za-z]{1,40}$/ },
};

/** A list of names, of which none may be a secret in the wrong place. */
const signedNames = /(?<=^|;)(?:host|content-type|x-acs(?:-(?:[a-z]{1,12}|sha256)){1,4})(?=;|$)/g;

const decodeOnce = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const toPart = ([name, value]: Pair, cause: Part['cause']): Part => ({
  name: decodeOnce(name),
  value,
  cause,
  ...meanings[name.toLowerCase()],
});

const method = (value: string): Part => ({ name: 'METHOD', value, cause: 'method', plain: plainMethod });

/** METHOD & %2F & parameters, which are encoded twice: once is undone, so that what is wrong with the other is seen. */
function splitRpc(text: string): readonly Part[] {
  const [verb = '', path = '', ...rest] = text.split('&');
  const parameters = rawPairs(decodeOnce(rest.join('&'))).map((pair) => toPart(pair, 'parameter'));
  return [method(verb), { name: 'PATH', value: path, cause: 'encoding' }, ...parameters];
}

function splitCanonical(text: string): readonly Part[] {
  const [verb = '', path = '', query = '', ...rest] = text.split('\n');
  const end = rest.indexOf('');
  const headers = (end === -1 ? rest : rest.slice(0, end)).map((line): Pair => {
    const at = line.indexOf(':');
    return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
  });
  const [names = '', ...hash] = end === -1 ? [] : rest.slice(end + 1);
  return [
    method(verb),
    { name: 'PATH', value: path, cause: 'url', words: pathWords },
    ...rawPairs(query).map((pair) => toPart(pair, 'parameter')),
    ...headers.map((pair) => toPart(pair, 'header')),
    { name: 'SIGNED HEADERS', value: names, cause: 'header', words: signedNames },
    { name: 'BODY HASH', value: hash.join('\n'), cause: 'body' },
  ];
}

function splitHash(text: string): readonly Part[] {
  const [algorithm = '', ...hash] = text.split('\n');
  const own: Part = { name: 'ALGORITHM', value: algorithm, cause: 'header', plain: /^ACS3-[A-Z0-9-]{1,20}$/ };
  return [own, { name: 'HASH OF THE CANONICAL REQUEST', value: hash.join('\n'), cause: 'parameter' }];
}

/** The older message has one text, the newer has two in brackets; the second tells more. */
function builtFrom(message: string): readonly Built[] {
  const two = /StringToSign is[: ]{1,2}`?\[([^]*?)\][^[]{0,40}CanonicalRequest is[: ]{1,2}`?\[([^]*)\]/i.exec(message);
  if (two !== null) return [{ text: two[2] ?? '' }, { text: two[1] ?? '' }];
  const one = /server string to sign is: ?([^]*)$/i.exec(message)?.[1];
  return one === undefined || one === '' ? [] : [{ text: one }];
}

/** Version 1.0 signs all parameters, wherever they stand; V3 the headers that it names. */
function rebuild({ method: verb, url, headers, body }: Sent): string | undefined {
  const { path, query } = splitUrl(url);
  const authorization = header(headers, 'authorization');
  if (authorization === undefined) {
    const pairs = [...queryPairs(query), ...(verb === 'GET' ? [] : formPairs(Buffer.from(body).toString(), 'body'))];
    if (!pairs.some(([name]) => name === 'Signature')) return undefined;
    return rpcStringToSign(
      verb,
      pairs.filter(([name]) => name !== 'Signature'),
    );
  }
  const signed = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';');
  if (!authorization.startsWith(`${acs3} `) || signed === undefined) return undefined;
  const host = hostOf(url) ?? header(headers, 'host') ?? '';
  const all = Object.entries({ ...withoutHeaders(headers, ['host']), host });
  return canonicalRequest({
    method: verb,
    path,
    query: queryPairs(query),
    headers: all.filter(([name]) => signed.includes(name.toLowerCase())),
    hashedPayload: hashPayload(body),
  }).text;
}

/** Of a call that went well, such as a text message: the same form, and no refusal. */
const success = /^(?:OK|Success|200)$/i;

/** Words, such as `InvalidAccessKeyId.NotFound`. A secret in their place has digits within, and is not repeated. */
const plainCode = /^(?=.{2,64}$)[A-Za-z]+\d?(?:[._-][A-Za-z]+\d?)*$/;

function readRefusal(code: string, texts: readonly string[]): Refusal {
  const built = texts.map(builtFrom).find((found) => found.length > 0) ?? [];
  return { code: plainCode.test(code) ? code : '', built, ...interpret(sayings, code, texts.join('\n')) };
}

export const aliyunRefusals: Refusals = {
  platform: 'Aliyun OpenAPI',
  codesAt: (code) => `https://api.aliyun.com/troubleshoot?q=${code}`,
  read(body) {
    const [code, message] = [textOf(body, 'Code'), textOf(body, 'Message')];
    if (code === undefined || message === undefined || success.test(code)) return undefined;
    return readRefusal(code, [message, textOf(body, 'Recommend') ?? '']);
  },
  /** As SDKs print it, such as `SDKError: ErrorCode: SignatureDoesNotMatch Message: …`. */
  readText(text) {
    const [code] =
      /\b(?:SignatureDoesNotMatch|IncompleteSignature|InvalidTimeStamp\.\w+|SignatureNonceUsed|InvalidAccessKeyId\.\w+|InvalidSecurityToken\.\w+)/.exec(
        text,
      ) ?? [];
    return code === undefined ? undefined : readRefusal(code, [text]);
  },
  whenEqual: ['access-key'],
  split: (text) => {
    if (text.startsWith('ACS3-')) return splitHash(text);
    return text.includes('\n') && !/^[A-Z]+&/.test(text) ? splitCanonical(text) : splitRpc(text);
  },
  rebuild,
};
