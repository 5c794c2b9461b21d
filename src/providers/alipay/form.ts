// Forms as Alipay signs them: sorted `name=value` pairs with raw values. Read and decoded once, as bytes, whatever their charset.
import { PaycertError } from '../../errors.ts';

/** Both as bytes, one character each: what is signed is bytes, in a charset that only the sender knows. */
export interface Field {
  readonly name: string;
  readonly value: string;
}

export type Parameters = Readonly<Record<string, string>>;

const malformed = (message: string, field: string) => new PaycertError('notification-malformed', message, { field });

/**
 * The fields of `application/x-www-form-urlencoded` text, percent-decoded once. A name that is there twice is refused: two
 * readers could take different ones.
 * @throws PaycertError `notification-malformed`
 */
export function parseForm(form: Uint8Array, field: string): readonly Field[] {
  const pairs = Buffer.from(form)
    .toString('latin1')
    .split('&')
    .filter((pair) => pair !== '');
  const fields = pairs.map((pair) => {
    const equals = pair.indexOf('=');
    const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    return { name: percentDecode(name, field), value: percentDecode(value, field) };
  });
  if (new Set(fields.map(({ name }) => name)).size < fields.length) {
    throw malformed(`${field} names one of its parameters twice`, field);
  }
  return fields;
}

function percentDecode(text: string, field: string): string {
  if (/%(?![0-9a-f]{2})/i.test(text)) throw malformed(`${field} is not percent-encoded as forms are`, field);
  return text
    .replaceAll('+', ' ')
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** The same for parameters that are text already, such as our own. */
export const fieldsOf = (parameters: Parameters): readonly Field[] =>
  Object.entries(parameters).map(([name, value]) => ({ name: toBytes(name), value: toBytes(value) }));

const toBytes = (text: string): string => Buffer.from(text).toString('latin1');

/** What is signed: sorted by name in the order of bytes, raw values, joined by `&` (protocols 2.1). */
export function signedText(fields: readonly Field[]): Buffer {
  const sorted = fields.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return Buffer.from(sorted.map(({ name, value }) => `${name}=${value}`).join('&'), 'latin1');
}

/** As Alipay's documents spell them. */
const charsets: Readonly<Record<string, string>> = { 'utf-8': 'utf-8', utf8: 'utf-8', gbk: 'gbk', gb2312: 'gbk' };

/**
 * The parameters as text, in the charset that they name themselves; UTF-8 where they name none.
 * @throws PaycertError `notification-malformed`: another charset, or bytes that are none of its text
 */
export function decodeFields(fields: readonly Field[], field: string): Parameters {
  const named = fields.find(({ name }) => name === 'charset')?.value.toLowerCase() ?? 'utf-8';
  const charset = Object.hasOwn(charsets, named) ? charsets[named] : undefined;
  if (charset === undefined) throw malformed(`${field} is in a charset that is neither UTF-8 nor GBK`, field);
  const decoder = new TextDecoder(charset, { fatal: true, ignoreBOM: true });
  const decode = (text: string): string => {
    try {
      return decoder.decode(Buffer.from(text, 'latin1'));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw malformed(`${field} holds bytes that are no text in its charset`, field);
    }
  };
  return Object.fromEntries(fields.map(({ name, value }) => [decode(name), decode(value)]));
}

/** Everything but unreserved characters (RFC 3986 §2.3): safe in a query, in a form body and inside HTML. */
const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

/** As a query or a form body, in the order given. */
export function formatForm(parameters: Parameters): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`)
    .join('&');
}
