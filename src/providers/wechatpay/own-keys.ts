// The merchant's own keys: the one that signs, those that open what was encrypted for it.
import type { KeyObject } from 'node:crypto';
import { checkValue } from '../../crypto/cipher.ts';
import type { PrivateKey } from '../../crypto/private-key.ts';
import { certificateFacts, publicKeyFacts } from '../shared/facts.ts';
import type { KeyFacts } from '../provider.ts';
import type { Role } from '../roles.ts';
import type { Parts } from './parts.ts';

/** Parts that passed every rule. */
export interface FitParts extends Parts {
  readonly privateKey: PrivateKey;
}

/** The key that signs. */
export function merchantFacts({ privateKey, certificate, merchantSerial }: FitParts): KeyFacts {
  if (certificate) return certificateFacts(certificate, 'merchant');
  return publicKeyFacts(privateKey.publicKey, 'merchant', merchantSerial);
}

/** Current first, then previous: the order in which they are tried. */
export function symmetricKeys({ apiV3Key, previousApiV3Key }: Parts) {
  const one = (key: KeyObject | undefined, role: Role) =>
    key === undefined
      ? []
      : [{ key, role, keyId: checkValue(key), algorithm: 'AES-256-GCM', fingerprint: checkValue(key) }];
  return [...one(apiV3Key, 'apiv3'), ...one(previousApiV3Key, 'apiv3-previous')];
}

/** Fields are encrypted for the merchant's key: the current one, then those retired. */
export function collectFieldKeys({ privateKey, retired }: FitParts, merchant: KeyFacts) {
  const keys = retired.map(({ privateKey: key, certificate }) => {
    const facts: KeyFacts = certificate
      ? certificateFacts(certificate, 'merchant-retired')
      : publicKeyFacts(key.publicKey, 'merchant-retired');
    return { key, facts };
  });
  return [{ key: privateKey, facts: merchant }, ...keys];
}
