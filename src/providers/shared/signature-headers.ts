// The headers that sign an HTTP message, under each platform's names: all of them must be there.
import { PaycertError } from '../../errors.ts';
import { header, type Headers } from './http.ts';

/**
 * Their values, in the order of the names, which are in lower case.
 * @throws PaycertError `signature-missing`: one of them is absent or empty
 */
export function readSignatureHeaders<Part extends string>(
  headers: Headers,
  names: Readonly<Record<Part, string>>,
): Readonly<Record<Part, string>> {
  const values: Partial<Record<Part, string>> = {};
  for (const part of Object.keys(names) as Part[]) {
    const name = names[part];
    const text = header(headers, name);
    if (text === undefined || text === '')
      throw new PaycertError('signature-missing', absence(headers, name), { field: name });
    values[part] = text;
  }
  return values as Readonly<Record<Part, string>>;
}

/** CGI, WSGI and nginx write `Wechatpay-Nonce` as HTTP_WECHATPAY_NONCE or with underscores. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, '');

/** Under a prefix too, such as a proxy's X-Original-. */
const isRenamed = (given: string, name: string): boolean =>
  given.toLowerCase() !== name && plain(given).endsWith(plain(name));

function absence(headers: Headers, name: string): string {
  const given = Object.keys(headers);
  if (given.length === 0) return `there are no headers (a Headers or a Map is {} as JSON), so that ${name} is missing`;
  const other = given.find((one) => isRenamed(one, name));
  return other === undefined
    ? `the header ${name} is missing`
    : `the header ${name} is missing, and is there as ${other}: give it under its own name`;
}
