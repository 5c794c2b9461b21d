// A key reference: one line where a private key would be, which names a key of a key service and nothing else.
import { type ErrorCode, PaycertError } from '../errors.ts';
import { type AliyunReference, type AwsReference, readAliyunReference, readAwsReference } from './cloud-reference.ts';
import { readText } from './text.ts';
import { readTokenReference, type TokenReference } from './token-reference.ts';
import { readTransitReference, type TransitReference } from './transit-reference.ts';

export type KeyReference = TransitReference | AwsReference | AliyunReference | TokenReference;

const schemes = /^(hashivault|awskms|aliyunkms|pkcs11):/i;

/** On a line behind the first. */
const others = /^[ \t]*(?:hashivault|awskms|aliyunkms|pkcs11):/im;

/** Longer than any reference; a part may be large. */
const maxBytes = 1024;

const firstLine = (bytes: Uint8Array): string => readText(bytes.subarray(0, maxBytes)).split('\n', 1)[0]?.trim() ?? '';

/** As it is written, of a part that is one: it names a key, and is no secret. */
export const keyReferenceText = (bytes: Uint8Array): string => firstLine(bytes);

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
  if (others.test(readText(bytes).replace(/^\s*[^\n]*/, '')))
    return fail('key-reference-malformed', 'has more than one reference: write one line');
  const attribute = foreign.exec(text)?.[1];
  if (attribute !== undefined) return fail('key-reference-refused', `says ${attribute}, which a reference may not`);
  const [, scheme = ''] = schemes.exec(text) ?? [];
  const rest = text.slice(scheme.length + 1);
  if (scheme === 'hashivault') return readTransitReference(rest, fail);
  if (scheme === 'awskms') return readAwsReference(rest, fail);
  if (scheme === 'aliyunkms') return readAliyunReference(rest, fail);
  if (scheme === 'pkcs11') return readTokenReference(rest, fail);
  return fail('key-reference-malformed', `begins with ${scheme}: the name of a key service has small letters`);
}
