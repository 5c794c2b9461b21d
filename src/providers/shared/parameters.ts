// Parameters as signing schemes write them: percent-encoding (RFC 3986 §2), byte order, queries and forms.
import { type ErrorCode, PaycertError, requestInvalid } from '../../errors.ts';

export type Pair = readonly [name: string, value: string];

/** UTF-8 bytes as %XX in upper case, except for letters, digits and - _ . ~ . A space is %20, never +. */
export function percentEncode(text: string): string {
  if (!text.isWellFormed()) throw requestInvalid('parameters', 'hold half a surrogate pair, which no UTF-8 can carry');
  // encodeURIComponent follows RFC 2396, which left these five alone.
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** By the bytes of the names, upper case before lower; of equal names by value. */
export function sortPairs(pairs: readonly Pair[]): readonly Pair[] {
  return pairs.toSorted(([a, x], [b, y]) => compareBytes(a, b) || compareBytes(x, y));
}

/** `a=1&b=2`: names and values as the functions write them. */
export function joinPairs(pairs: readonly Pair[], encode: (text: string) => string = String): string {
  return pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
}

/** The pairs of a query, or of a form, as written: a name without `=` has an empty value. */
export function rawPairs(query: string, separator = '&'): readonly Pair[] {
  return query
    .split(separator)
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    });
}

/** Decodes what is UTF-8 behind its percent signs, and nothing else. */
function decode(text: string, code: ErrorCode, field: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new PaycertError(code, `${field} holds a percent sign that encodes no UTF-8`, { field });
  }
}

const decodePairs = (query: string, code: ErrorCode, field: string): readonly Pair[] =>
  rawPairs(query).map(([name, value]) => [decode(name, code, field), decode(value, code, field)]);

/**
 * The pairs of a query, decoded. A `+` is refused: to some it is a space and to others a plus, and the signature
 * would be over one of them.
 */
export function queryPairs(query: string): readonly Pair[] {
  if (query.includes('+')) throw requestInvalid('url', 'holds a + in its query: write %20 for a space, %2B for a plus');
  return decodePairs(query, 'request-invalid', 'url');
}

/**
 * The pairs of application/x-www-form-urlencoded that somebody sent, decoded once; a `+` is a space there.
 * @throws PaycertError `message-malformed`
 */
export function formPairs(form: string, field: string): readonly Pair[] {
  return decodePairs(form.replaceAll('+', '%20'), 'message-malformed', field);
}
