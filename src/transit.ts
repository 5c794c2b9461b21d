// What became of a message on its way here: parsed, decoded once too often, written again. Said in place of a bare refusal.

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

/** Whether a body is JSON at a glance: where another format is signed, somebody has parsed it and written it as JSON. */
export const looksLikeJson = (body: Uint8Array): boolean =>
  /^\s*\{\s*["}]/.test(Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 64)).toString('latin1'));

/** Notifications have some kilobytes; what is longer is not parsed to explain a refusal. */
const longestRewritten = 32 * 1024;

/**
 * The JSON as a program writes that adds no blank, if that differs: what was signed, when somebody has parsed it and written it
 * again with blanks, in lines, or with other escapes. Undefined for what is not JSON.
 */
export function withoutRewriting(body: Uint8Array): Uint8Array | undefined {
  if (body.byteLength > longestRewritten || !/[{[]/.test(String.fromCharCode(...body.subarray(0, 4)))) return undefined;
  const text = Buffer.from(body)
    .toString()
    .replace(/^\ufeff/, '');
  try {
    const compact = Buffer.from(JSON.stringify(JSON.parse(text)));
    return compact.equals(body) ? undefined : compact;
  } catch {
    // No JSON, or nested deeper than it can be written.
    return undefined;
  }
}
