// A key reference: one line where a private key would be, which names a key of a key service and nothing else.
import { type ErrorCode, PaycertError } from '../errors.ts';
import { readText } from './text.ts';

/** One version of a key, as the material names it. No secret. */
export interface KeyReference {
  /** The scheme, which is the name of the key service in the configuration. */
  readonly service: 'hashivault';
  readonly key: string;
  readonly version: number;
}

/** Schemes of which only the first has a service yet: each is read as a reference, so that what is wrong is said of one. */
const schemes = /^(hashivault|awskms|aliyunkms|pkcs11):/i;

/** Longer than any reference; a part may be large. */
const maxBytes = 1024;

const firstLine = (bytes: Uint8Array): string => readText(bytes.subarray(0, maxBytes)).split('\n', 1)[0]?.trim() ?? '';

export const isKeyReference = (bytes: Uint8Array): boolean => schemes.test(firstLine(bytes));

/** What would load code, read a file, or have our token sent elsewhere: for the configuration alone to say. */
const foreign = /[?&;:](module-path|module-name|pin-value|pin-source)=/i;

/**
 * The reference in a part of the material. `field` is the part’s name.
 * @throws PaycertError `key-reference-malformed`, `key-reference-refused`
 */
export function readKeyReference(bytes: Uint8Array, field: string): KeyReference {
  const text = firstLine(bytes);
  const fail = (code: ErrorCode, what: string): never => {
    throw new PaycertError(code, `${field} ${what}`, { field });
  };
  const attribute = foreign.exec(text)?.[1];
  if (attribute !== undefined) return fail('key-reference-refused', `says ${attribute}, which a reference may not`);
  const [, scheme = ''] = schemes.exec(text) ?? [];
  if (scheme !== 'hashivault')
    return fail('key-reference-malformed', `names a key of ${scheme}, which is no key service of this version`);
  const [path = '', query] = text.slice('hashivault:'.length).replace(/^\/\//, '').split('?', 2);
  if (/[/@:]/.test(path)) return fail('key-reference-refused', 'names a host or a path, which a reference may not');
  if (!/^\w(?:[\w.-]{0,126}\w)?$/.test(path))
    return fail('key-reference-malformed', 'does not name a key: hashivault://KEY?version=3');
  // Without it, another version would sign after a restart, and its certificate would still be the old one’s.
  if (query === undefined)
    return fail(
      'key-reference-malformed',
      `does not say which version of the key signs: hashivault://${path}?version=3`,
    );
  const [, version] = /^version=([1-9]\d{0,8})$/.exec(query) ?? [];
  if (version === undefined)
    return fail('key-reference-malformed', 'has something else than a number of a version behind ?version=');
  return { service: 'hashivault', key: path, version: Number(version) };
}

/** As it is written, for people. */
export const textOfReference = ({ service, key, version }: KeyReference): string =>
  `${service}://${key}?version=${String(version)}`;
