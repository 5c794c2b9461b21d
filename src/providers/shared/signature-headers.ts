// The headers that sign an HTTP message, under each platform's names: all of them must be there.
import { PaycertError } from '../../errors.ts';
import { header, type Headers } from './http.ts';

const none = 'there are no headers (a Headers or a Map is {} as JSON)';

/**
 * Their values, in the order of the names, which are in lower case.
 * @throws PaycertError `signature-missing`: one of them is absent or empty
 */
export function readSignatureHeaders<Part extends string>(
  headers: Headers,
  names: Readonly<Record<Part, string>>,
): Readonly<Record<Part, string>> {
  const read = ([part, name]: [string, string]) => {
    const text = header(headers, name);
    if (text !== undefined && text !== '') return [part, text];
    const isAlone = Object.keys(headers).length > 0;
    const message = isAlone ? `the header ${name} is missing` : `${none}, so that ${name} is missing`;
    throw new PaycertError('signature-missing', message, { field: name });
  };
  return Object.fromEntries(Object.entries<string>(names).map(read)) as Readonly<Record<Part, string>>;
}
