// What the platform encrypted: resources under the APIv3 key, fields for one of the merchant's keys.
import type { KeyObject } from 'node:crypto';
import { oaepOpener, pkcs1Opener } from '../../crypto/cipher.ts';
import { PaycertError } from '../../errors.ts';
import { need } from '../shared/inputs.ts';
import type { Ciphertext, Decrypted, KeyFacts, SigningContext } from '../provider.ts';
import { VerifiedNotification } from '../verified.ts';
import { aeadAlgorithm, openResource, readEnvelope, readPlaintext } from './envelope.ts';

export interface Receiver {
  /** APIv3 keys in the order in which they are tried. */
  readonly symmetric: readonly (KeyFacts & { readonly key: KeyObject })[];
  /** Private keys that fields may have been encrypted for, in the order in which they are tried. */
  readonly fieldKeys: readonly { readonly key: KeyObject; readonly facts: KeyFacts }[];
  /** Whether fields that OAEP does not open are tried with PKCS#1 v1.5; see the danger at `pkcs1Opener`. */
  readonly legacyFieldPadding: boolean;
  /** Told of a current APIv3 key that has opened something the platform wrote. */
  readonly prove: (keyId: string) => void;
}

export function createOpeners({
  symmetric,
  fieldKeys,
  legacyFieldPadding,
  prove,
}: Receiver): Required<Pick<SigningContext, 'decrypt' | 'openNotification'>> {
  // Every key with OAEP before any key with PKCS#1 v1.5, which cannot tell that a key is the wrong one.
  const paddings = legacyFieldPadding ? [oaepOpener, pkcs1Opener] : [oaepOpener];
  const openers = paddings.flatMap((opener) => fieldKeys.map(({ key, facts }) => ({ open: opener(key), facts })));

  const openSealed = (resource: { ciphertext: string; nonce: string; associatedData: string }): Decrypted => {
    if (symmetric.length === 0) throw new PaycertError('no-apiv3-key', 'there is no APIv3 key to decrypt with');
    for (const { key, keyId, role } of symmetric) {
      const plaintext = openResource(key, resource);
      if (plaintext === undefined) continue;
      if (role === 'apiv3') prove(keyId);
      return { plaintext, keyId, role };
    }
    throw undecryptable();
  };

  return {
    async decrypt(input: Ciphertext) {
      if ('algorithm' in input) {
        if (input.algorithm !== aeadAlgorithm) {
          throw new PaycertError('request-invalid', `algorithm must be ${aeadAlgorithm}`, { field: 'algorithm' });
        }
        const { ciphertext, associatedData = '' } = input;
        return openSealed({ ciphertext, nonce: need(input, 'nonce'), associatedData });
      }
      const ciphertext = Buffer.from(input.ciphertext, 'base64');
      for (const { open, facts } of openers) {
        const plaintext = await open(ciphertext);
        if (plaintext !== undefined) return { plaintext, keyId: facts.keyId, role: facts.role };
      }
      throw undecryptable();
    },

    async openNotification(notification) {
      const { body, keyId } = VerifiedNotification.contentOf(notification);
      const { id, eventType, resource } = readEnvelope(body);
      if (resource.algorithm !== aeadAlgorithm) {
        throw new PaycertError('notification-malformed', `the resource is not encrypted with ${aeadAlgorithm}`, {
          field: 'resource',
        });
      }
      const { plaintext, role } = openSealed(resource);
      return { id, eventType, resource: readPlaintext(plaintext), keyId, role };
    },
  };
}

// One code and one message for every cause: which byte was wrong is nobody's business.
const undecryptable = () =>
  new PaycertError('decryption-failed', 'the ciphertext cannot be opened with any key that is loaded');
