// WeChat Pay APIv3 refusing a signature: what `sign_information` shows of the text that it built, and what its words mean.
import { header } from '../shared/http.ts';
import { type Cause, pathWords, type Part, plainMethod, plainTime, type Refusals, textOf } from '../refusal.ts';
import { requestMessage } from './messages.ts';
import { rsaScheme } from './schemes.ts';

/** The words of the message → causes (protocols 1.2); the code is SIGN_ERROR for all of them. */
const words: readonly (readonly [RegExp, readonly Cause[]])[] = [
  [/timestamp|时间戳/, ['clock', 'time-format']],
  [/序列号有误|已作废|已过期/, ['key', 'application']],
  [/未申请过证书/, ['application', 'environment']],
  [/认证类型|格式错误|Accept|User-Agent/, ['header']],
];

const mismatches = new Set(['APPID_MCHID_NOT_MATCH', 'MCH_NOT_EXISTS']);

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

export const wechatpayRefusals: Refusals = {
  platform: 'WeChat Pay APIv3',
  split,
  read(body) {
    const [code, message] = [textOf(body, 'code'), textOf(body, 'message')];
    if (code === undefined || message === undefined || !/^[A-Z][A-Z_]{2,40}$/.test(code)) return undefined;
    const { detail } = body as { readonly detail?: { readonly sign_information?: unknown } | null };
    const built = builtFrom(typeof detail === 'object' && detail !== null ? detail.sign_information : undefined);
    const time = built.flatMap(({ text }) => split(text)).find(({ name }) => name === 'TIMESTAMP');
    const certain = new Set<Cause>([
      ...(time !== undefined && !/^\d{10}$/.test(time.value) ? (['time-format'] as const) : []),
      ...words.flatMap(([pattern, means]) => (pattern.test(message) ? means : [])),
      ...(mismatches.has(code) ? (['application'] as const) : []),
    ]);
    const isAboutSignature = code === 'SIGN_ERROR' || code === 'SYSTEM_ERROR';
    const possible: readonly Cause[] = isAboutSignature ? ['body', 'url', 'key', 'application', 'clock'] : [];
    return { code, certain: [...certain], possible: certain.size > 0 ? [] : possible, built };
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
