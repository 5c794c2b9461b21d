// Opens what was encrypted for a key that stays elsewhere: OAEP with SHA-1, and nothing else.
import { type KeyObject, randomBytes } from 'node:crypto';
import { oaep, sealOaep } from '../crypto/cipher.ts';
import type { PrivateKey } from '../crypto/private-key.ts';
import { PaycertError } from '../errors.ts';

/** The key does not open that. `perhaps`: who keeps it has one word for this and for a failure of its own. */
export interface Unopened {
  readonly unopened: 'certainly' | 'perhaps';
}

const probeBytes = 16;

/**
 * Padding of PKCS#1 v1.5 is opened by nothing elsewhere: how it is refused would tell a stranger what is inside. `name` is shown.
 * @throws PaycertError of kind not-ready
 */
export const openElsewhere =
  (
    name: string,
    publicKey: KeyObject,
    ask: (ciphertext: Uint8Array) => Promise<Uint8Array | Unopened>,
  ): NonNullable<PrivateKey['open']> =>
  async (cipher, ciphertext) => {
    const { modulusLength = 0 } = publicKey.asymmetricKeyDetails ?? {};
    if (cipher !== oaep || ciphertext.byteLength !== Math.ceil(modulusLength / 8)) return undefined;
    const opened = await ask(ciphertext);
    if (!('unopened' in opened)) return opened;
    if (opened.unopened === 'certainly') return undefined;
    // Where it opens what was made for it just now, the ciphertext was made for another key.
    const probe = await ask(sealOaep(publicKey, randomBytes(probeBytes)));
    if (!('unopened' in probe)) return undefined;
    throw new PaycertError('key-service-unavailable', `decrypt with ${name}: it does not open what was made for it`);
  };
