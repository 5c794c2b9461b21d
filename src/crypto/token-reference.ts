// References to keys in a PKCS#11 token, as RFC 7512 writes them: pkcs11:token=pay;object=merchant, by label, by id, or by both.
import type { ErrorCode } from '../errors.ts';

type Fail = (code: ErrorCode, what: string) => never;

/** A private key in a token: the one of that label, of that id, or of both. No secret. */
export interface TokenReference {
  readonly service: 'pkcs11';
  /** The label of the token. */
  readonly token: string;
  /** The label of the key. */
  readonly object?: string;
  /** The id of the key (CKA_ID), in hex. */
  readonly id?: string;
}

const form = 'pkcs11:token=pay;object=merchant';
/** What RFC 7512 §2.3 lets stand in a value as it is; everything else is written as %XX. */
const value = /^(?:[\w.~:[\]@!$'()*+,=&-]|%[0-9A-Fa-f]{2})+$/;
/** A token has room for so many bytes (CK_TOKEN_INFO). */
const maxTokenBytes = 32;
const maxBytes = 255;

/** What is behind `pkcs11:`. */
export function readTokenReference(rest: string, fail: Fail): TokenReference {
  const malformed = (what: string): never => fail('key-reference-malformed', `${what}; write it as in ${form}`);
  const found = new Map<string, Buffer>();
  for (const attribute of rest.split(';')) {
    const [, name = '', text = ''] = /^([a-z-]{1,32})=(.*)$/.exec(attribute) ?? [];
    if (!isKnown(name)) return malformed('says something else than token, object, id and type');
    if (found.has(name)) return malformed(`says ${name} twice`);
    if (!value.test(text))
      return malformed(`has ${articleOf(name)} ${name} that is empty, or has characters that are written as %XX`);
    found.set(name, decode(text));
  }
  const kind = found.get('type')?.toString();
  if (kind !== undefined && kind !== 'private') return malformed('has another type than private');
  const textOf = (name: string, most: number): string | undefined => {
    const bytes = found.get(name);
    const text = bytes?.toString();
    const isLabel = text === undefined || !(/\p{Cc}|\ufffd/u.test(text) || Buffer.byteLength(text) > most);
    return isLabel ? text : malformed(`has ${articleOf(name)} ${name} that is no label`);
  };
  const [token, object] = [textOf('token', maxTokenBytes), textOf('object', maxBytes)];
  const id = found.get('id');
  // Without it, a token that is plugged in later could answer in its place.
  if (token === undefined) return malformed('does not say which token');
  if (object === undefined && id === undefined) return malformed('does not say which key of the token');
  if (id !== undefined && id.length > maxBytes) return malformed('has an id that is too long');
  return { service: 'pkcs11', token, ...(object !== undefined && { object }), ...(id && { id: id.toString('hex') }) };
}

export const textOfTokenReference = ({ token, object, id }: TokenReference): string =>
  [
    `pkcs11:token=${encodeURIComponent(token)}`,
    ...(object === undefined ? [] : [`object=${encodeURIComponent(object)}`]),
    ...(id === undefined ? [] : [`id=${id.replace(/../g, '%$&')}`]),
  ].join(';');

const isKnown = (name: string): boolean => ['token', 'object', 'id', 'type'].includes(name);

const articleOf = (name: string): string => (/^[aeiou]/.test(name) ? 'an' : 'a');

/** Bytes: an id is none of text. */
const decode = (text: string): Buffer =>
  Buffer.from(
    text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
