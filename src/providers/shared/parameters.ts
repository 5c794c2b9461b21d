// Parameters as signing schemes write them: byte order, queries and forms. What others send is counted before it is read.
import { type ErrorCode, PaycertError, requestInvalid } from '../../errors.ts';
import { percentDecode } from './percent.ts';

export type Pair = readonly [name: string, value: string];

/** More than any platform has, as in the schema of requests. */
const maxParameters = 1000;

/** By the bytes of the names, upper case before lower; of equal names by value. */
export function sortPairs(pairs: readonly Pair[]): readonly Pair[] {
  return pairs
    .map((pair) => ({ pair, name: Buffer.from(pair[0]) }))
    .sort((a, b) => Buffer.compare(a.name, b.name) || Buffer.compare(Buffer.from(a.pair[1]), Buffer.from(b.pair[1])))
    .map(({ pair }) => pair);
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

/**
 * The same of what somebody else wrote.
 * @throws PaycertError of that code: more parameters than any platform has; they are counted before one is read
 */
export function fewPairs(query: string, code: ErrorCode, field: string): readonly Pair[] {
  let at = -1;
  for (let count = 0; (at = query.indexOf('&', at + 1)) !== -1; count += 1) {
    if (count < maxParameters) continue;
    throw new PaycertError(code, `${field} has more than ${maxParameters} parameters`, { field });
  }
  return rawPairs(query);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text behind its percent signs; bytes that are no UTF-8 are refused, and never replaced: they are not what was signed. */
function decode(text: string, isForm: boolean): string | undefined {
  const bytes = percentDecode(Buffer.from(text, 'latin1'), { isForm });
  try {
    return bytes && utf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** `isForm`: whether a `+` is a space. */
function decodePairs(text: Uint8Array, isForm: boolean, code: ErrorCode, field: string): readonly Pair[] {
  const read = (part: string): string => {
    const decoded = decode(part, isForm);
    if (decoded !== undefined) return decoded;
    throw new PaycertError(code, `${field} holds a percent sign or a byte that encodes no UTF-8`, { field });
  };
  const latin1 = Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('latin1');
  return fewPairs(latin1, code, field).map(([name, value]) => [read(name), read(value)]);
}

/**
 * The pairs of a query, decoded. A `+` is refused: to some it is a space and to others a plus, and the signature
 * would be over one of them.
 */
export function queryPairs(query: string): readonly Pair[] {
  if (query.includes('+')) throw requestInvalid('url', 'holds a + in its query: write %20 for a space, %2B for a plus');
  return decodePairs(Buffer.from(query), false, 'request-invalid', 'url');
}

/**
 * The pairs of application/x-www-form-urlencoded that somebody sent, decoded once; a `+` is a space there.
 * @throws PaycertError `message-malformed` unless another code is given
 */
export function formPairs(
  form: Uint8Array | string,
  field: string,
  code: ErrorCode = 'message-malformed',
): readonly Pair[] {
  return decodePairs(typeof form === 'string' ? Buffer.from(form) : form, true, code, field);
}
