// Forms as Alipay signs them: sorted `name=value` pairs with raw values. Read and decoded once, as bytes, whatever their charset.
import { PaycertError } from '../../errors.ts';
import { fewPairs, joinPairs, type Pair, sortPairs } from '../shared/parameters.ts';
import { percentDecode, percentEncode } from '../shared/percent.ts';

export type Parameters = Readonly<Record<string, string>>;

const malformed = (field: string, message: string) =>
  new PaycertError('message-malformed', `${field} ${message}`, { field });

/** Of what has verified already. */
const unreadable = (field: string, message: string) =>
  new PaycertError('notification-malformed', `${field} ${message}`, { field });

/**
 * The fields of `application/x-www-form-urlencoded` text, percent-decoded once: names and values as bytes, one character
 * each, since what is signed is bytes, in a charset that only the sender knows. A name that is there twice is refused: two
 * readers could take different ones.
 * @throws PaycertError `message-malformed`
 */
export function parseForm(form: Uint8Array, field: string): readonly Pair[] {
  const latin1 = Buffer.from(form.buffer, form.byteOffset, form.byteLength).toString('latin1');
  const decode = (text: string): string => {
    const bytes = percentDecode(Buffer.from(text, 'latin1'), { isForm: true });
    if (bytes !== undefined) return bytes.toString('latin1');
    throw malformed(field, 'is not percent-encoded as forms are');
  };
  const fields = fewPairs(latin1, 'message-malformed', field).map(([name, value]): Pair => [
    decode(name),
    decode(value),
  ]);
  if (new Map(fields).size < fields.length) {
    throw malformed(field, 'names one of its parameters twice');
  }
  return fields;
}

/** The same for parameters that are text already, such as our own. */
export const fieldsOf = (parameters: Parameters): readonly Pair[] =>
  Object.entries(parameters).map(([name, value]) => [toBytes(name), toBytes(value)]);

const toBytes = (text: string): string => Buffer.from(text).toString('latin1');

/** What is signed: sorted by name in the order of bytes, raw values, joined by `&` (protocols 2.1). */
export const signedText = (fields: readonly Pair[]): Buffer => Buffer.from(joinPairs(sortPairs(fields)), 'latin1');

/** As Alipay's documents spell them. */
const charsets: Readonly<Record<string, string>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  gbk: 'gbk',
  gb2312: 'gbk',
  gb18030: 'gb18030',
};

/**
 * The parameters as text, in the charset that they name themselves; UTF-8 where they name none.
 * @throws PaycertError `notification-malformed`: another charset, or bytes that are none of its text
 */
export function decodeFields(fields: readonly Pair[], field: string): Parameters {
  const named = new Map(fields).get('charset')?.toLowerCase() ?? 'utf-8';
  const charset = Object.hasOwn(charsets, named) ? charsets[named] : undefined;
  if (charset === undefined) throw unreadable(field, 'is in a charset that is neither UTF-8 nor GBK');
  const decoder = new TextDecoder(charset, { fatal: true, ignoreBOM: true });
  const decode = (text: string): string => {
    try {
      return decoder.decode(Buffer.from(text, 'latin1'));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw unreadable(field, 'holds bytes that are no text in its charset');
    }
  };
  return Object.fromEntries(fields.map(([name, value]) => [decode(name), decode(value)]));
}

/** As a query or a form body, in the order given: encoded so that it is safe inside HTML, too. */
export const formatForm = (parameters: Parameters): string => joinPairs(Object.entries(parameters), percentEncode);
