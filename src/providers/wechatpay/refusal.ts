// WeChat Pay APIv3 refusing a signature: what `sign_information` shows of the text that it built, and what its words mean.
import { header } from '../shared/http.ts';
import {
  interpret,
  pathWords,
  type Part,
  plainMethod,
  plainTime,
  type Refusal,
  type Refusals,
  textOf,
} from '../refusal.ts';
import { requestMessage } from './messages.ts';
import { sayings } from './sayings.ts';
import { rsaScheme } from './schemes.ts';

const lines = [
  { name: 'METHOD', cause: 'method', plain: plainMethod },
  { name: 'URL', cause: 'url', words: pathWords },
  { name: 'TIMESTAMP', cause: 'another-attempt', plain: plainTime },
  { name: 'NONCE', cause: 'another-attempt' },
  { name: 'BODY', cause: 'body' },
] as const satisfies readonly Omit<Part, 'value'>[];

/** The body, with the line end that closes it, is all that follows the fourth line. */
function split(text: string): readonly Part[] {
  const values = text.split('\n');
  const head = values.slice(0, lines.length - 1);
  const tail = values.slice(head.length);
  const all = tail.length > 0 ? [...head, tail.join('\n')] : head;
  return all.map((value, index) => ({ ...lines[index as 0], value }));
}

/** The gateway shows eight bytes of the body and ends the text as if they were all; the length is that of the whole. */
function builtFrom(information: unknown) {
  const text = textOf(information, 'truncated_sign_message');
  if (text === undefined) return [];
  const { sign_message_length: length } = information as { readonly sign_message_length?: unknown };
  // Without it nobody can tell what was cut off from what was not there.
  if (!Number.isSafeInteger(length) || Number(length) <= 0) return [];
  const isCut = Number(length) > Buffer.byteLength(text);
  return [isCut ? { text: text.replace(/\n$/, ''), byteLength: Number(length) } : { text }];
}

function readRefusal(code: string, message: string, built: Refusal['built']): Refusal {
  const { about, certain, possible } = interpret(sayings, code, message);
  const time = built.flatMap(({ text }) => split(text)).find(({ name }) => name === 'TIMESTAMP');
  const isOddTime = time !== undefined && !/^\d{10}$/.test(time.value);
  const all = isOddTime ? (['time-format', ...certain] as const) : certain;
  return { code, about, certain: [...new Set(all)], possible: all.length > 0 ? [] : possible, built };
}

export const wechatpayRefusals: Refusals = {
  platform: 'WeChat Pay APIv3',
  codesAt: () => 'https://pay.weixin.qq.com/doc/v3/merchant/4012072670',
  split,
  whenEqual: ['key', 'serial-of-another-key', 'application'],
  read(body) {
    const [code, message] = [textOf(body, 'code'), textOf(body, 'message')];
    if (code === undefined || message === undefined || !/^[A-Z][A-Z_]{2,40}$/.test(code)) return undefined;
    const { detail } = body as { readonly detail?: { readonly sign_information?: unknown } | null };
    return readRefusal(
      code,
      message,
      builtFrom(typeof detail === 'object' && detail !== null ? detail.sign_information : undefined),
    );
  },
  /** As SDKs print it, such as `StatusCode: 401 Code: "SIGN_ERROR"`. Only what stands in no JSON that is whole. */
  readText(text) {
    const [code] = /\bSIGN_ERROR\b|\bAPPID_MCHID_NOT_MATCH\b/.exec(text) ?? [];
    return code === undefined ? undefined : readRefusal(code, text, []);
  },
  rebuild({ method, url, headers, body }) {
    const fields = header(headers, 'authorization');
    if (fields?.startsWith(`${rsaScheme.name} `) !== true) return undefined;
    const field = (name: string) => new RegExp(`[ ,]${name}="([^"]*)"`).exec(fields)?.[1];
    const [timestamp, nonce] = [field('timestamp'), field('nonce_str')];
    if (timestamp === undefined || nonce === undefined) return undefined;
    return requestMessage({ method, url }, timestamp, nonce, body).toString();
  },
};
