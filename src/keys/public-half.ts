// The public half of a key, as a cloud’s KMS shows it.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { PaycertError } from '../errors.ts';

/** A public half that such a service shows. @throws PaycertError `key-missing` */
export function readPublicHalf(read: () => KeyObject, what: string): KeyObject {
  try {
    return read();
  } catch {
    throw new PaycertError('key-missing', `${what}: what came back is no public key that Node reads`);
  }
}

/** SubjectPublicKeyInfo in DER. */
export const fromSpki = (base64: string): KeyObject =>
  createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
