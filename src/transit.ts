// What became of a message on its way here: parsed, decoded once too often, written again. Said in place of a bare refusal.
import { formWrappings, looks } from './transit-looks.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isPlain = (value: object): boolean => [Object.prototype, null].includes(Object.getPrototypeOf(value) as object);

/** A Buffer or Uint8Array as JSON.stringify writes it. */
const isBytesInJson = (value: unknown): boolean =>
  isObject(value) && ((value['type'] === 'Buffer' && Array.isArray(value['data'])) || Number.isInteger(value['0']));

/** A part of a message, by what its value should be: text or bytes; names with values; one value of those. */
export type Part = 'body' | 'headers' | 'header';

/** What a program made of that part on its way here, as what is said after its name; undefined where nothing is known. */
export function unlikeReceived(part: Part, value: unknown): string | undefined {
  if (part === 'header')
    return Array.isArray(value)
      ? 'is a list: give its one value as text, and leave it out if it has several'
      : undefined;
  if (part === 'headers') return unlikeHeaders(value);
  if (isBytesInJson(value)) return 'is bytes as JSON writes them: give them in base64, as bodyBase64';
  return Array.isArray(value) || (isObject(value) && isPlain(value))
    ? 'is parsed JSON: give the body as it was received, since what is written again is not what was signed'
    : undefined;
}

function unlikeHeaders(value: unknown): string | undefined {
  if (Array.isArray(value))
    return 'is a list: give a mapping of names to values, such as Object.fromEntries makes of pairs';
  if (!isObject(value)) return undefined;
  return !isPlain(value) && Object.keys(value).length === 0
    ? 'is a Headers or a Map: give Object.fromEntries(headers)'
    : undefined;
}

/** How often base64 was decoded on its way, where that was not once, as what is said after its name. */
export function oddDecoding(text: string): string | undefined {
  const inside = text.trim();
  if (/%[0-9A-Fa-f]{2}/.test(inside)) return 'is still percent-encoded: decode it once';
  return inside.includes(' ')
    ? 'has blanks where + stood: it was percent-decoded once too often on its way here'
    : undefined;
}

/** What base64 became on its way, as what is said after its name; undefined where nothing is known. */
export function oddBase64(text: string): string | undefined {
  const inside = text.trim();
  const decoding = oddDecoding(inside);
  if (decoding !== undefined) return decoding;
  if (/^(["']).*\1$/s.test(inside)) return 'is in quotes: remove them';
  if (/[\r\n]/.test(inside)) return 'has line ends: join its lines';
  return /^[A-Za-z0-9_-]+={0,2}$/.test(inside) && /[-_]/.test(inside)
    ? 'is base64url: write + for - and / for _, and pad it with ='
    : undefined;
}

/** Why a text is not base64, as what is said after its name. Buffer.from takes anything for base64 and drops what it does not know. */
export const wrongBase64 = (text: string): string | undefined =>
  text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? undefined : (oddBase64(text) ?? 'is not valid base64');

/** Whether a body is JSON at a glance: where another format is signed, somebody has parsed it and written it as JSON. */
export const looksLikeJson = (body: Uint8Array): boolean =>
  /^\s*\{\s*["}]/.test(Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 64)).toString('latin1'));

/** What a look at a body shows, and the bytes that it was before, where they can be restored. */
export interface Trace {
  readonly says: string;
  readonly before?: Uint8Array;
}

/** Notifications have some kilobytes; what is longer is not parsed to explain a refusal. */
const longestTraced = 32 * 1024;

/**
 * What became of a body whose signature does not match. `before` is to be tried: it is a guess until it verifies. Without it
 * the look alone tells.
 */
export function traceOf(body: Uint8Array): Trace | undefined {
  if (body.byteLength === 0) return { says: 'the body is empty: it was read before, or lost, on its way here' };
  if (body.byteLength > longestTraced) return undefined;
  const text = Buffer.from(body).toString();
  if (Buffer.from(body).includes('\ufffd') || text.includes('%EF%BF%BD'))
    return {
      says: 'the body holds U+FFFD, which stands for bytes that were decoded in another charset than their own',
    };
  const look = looks.find(({ shows }) => shows(text));
  if (look !== undefined) return { says: look.says, ...(look.restore && { before: Buffer.from(look.restore(text)) }) };
  if (/^[A-Za-z0-9+/]{16,}={0,2}$/.test(text.replace(/\s/g, '')))
    return { says: 'the body is base64: give it as bodyBase64, or its bytes', before: Buffer.from(text, 'base64') };
  if (!/^[\ufeff\s]*[{["]/.test(text)) return undefined;
  const before = rewritten(text.replace(/^\ufeff/, ''));
  return before === undefined || before.equals(body)
    ? undefined
    : {
        says: 'the body was parsed and written again on its way here: what is signed is the same JSON without blanks',
        before,
      };
}

/** As a program writes it that adds no blank; of a text in JSON, that text. Undefined for what is not JSON. */
function rewritten(text: string): Buffer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  } catch {
    // No JSON, or nested deeper than it can be written.
    return undefined;
  }
}

/** What became of XML, as what is said after its name; undefined where nothing is known. */
export function oddXml(text: string): string | undefined {
  const head = text.slice(0, 64);
  if (/^\s*&lt;/.test(head)) return 'it was escaped for HTML on its way here';
  if (/^\s*["'](?:\\|<)/.test(head)) return 'it is in quotes: it was written as a text of JSON';
  if (/^\s*%3C/i.test(head)) return 'it is percent-encoded as a whole: decode it once';
  if (/^\s*\w+=/.test(head)) return 'it is a form, and was parsed on its way here';
  if (text.trim() === '') return 'it is empty: it was read before, or lost, on its way here';
  return /^\s*</.test(head) && !/>\s*$/.test(text.slice(-64)) ? 'it is cut off' : undefined;
}

/** What became of a form, as what is said after its name; undefined where nothing is known. */
export function oddForm(body: Uint8Array): string | undefined {
  const text = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, longestTraced)).toString('latin1');
  if (/^\s*\{\s*["}]/.test(text)) return 'is JSON, and was parsed on its way here: a form is name=value&name=value';
  const inside = text.trim();
  if (/^["']/.test(inside) && inside.length > 1 && inside.endsWith(inside.charAt(0)))
    return 'is in quotes: it was written as a text of JSON';
  const wrapped = formWrappings.find(([shows]) => shows.test(text))?.[1];
  if (wrapped !== undefined) return wrapped;
  if (/^\s*\{\s*\w+=/.test(text)) return 'is a map as Java writes it, and was parsed on its way here';
  if (/&amp;\w+=/.test(text)) return 'has &amp; for &: it was escaped for HTML on its way here';
  return !text.includes('=') && /%3D/i.test(text) ? 'is percent-encoded as a whole: decode it once' : undefined;
}
