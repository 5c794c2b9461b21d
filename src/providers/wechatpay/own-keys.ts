// The merchant's own keys: the one that signs, those that open what was encrypted for it.
import type { KeyObject } from 'node:crypto';
import type { NameSecret } from '../../crypto/check-value.ts';
import type { PrivateKey } from '../../crypto/private-key.ts';
import { certificateFacts, publicKeyFacts, secretFacts } from '../shared/facts.ts';
import type { KeyFacts } from '../provider.ts';
import type { Parts } from './parts.ts';

/** Parts that passed every rule. */
export interface ValidParts extends Parts {
  readonly privateKey: PrivateKey;
}

/** The key that signs. */
export function merchantFacts({ privateKey, certificate, publicSerial }: ValidParts): KeyFacts {
  if (certificate) return certificateFacts(certificate, 'merchant');
  return publicKeyFacts(privateKey.publicKey, 'merchant', publicSerial);
}

/** Current first, then previous: the order in which they are tried. */
export async function symmetricKeys({ apiV3Key, previousApiV3Key }: Parts, nameSecret: NameSecret) {
  const algorithm = 'AES-256-GCM';
  const one = async (key: KeyObject | undefined, role: 'apiv3' | 'apiv3-previous') =>
    key === undefined ? [] : [{ key, ...(await secretFacts(key, { role, algorithm }, nameSecret)) }];
  return [...(await one(apiV3Key, 'apiv3')), ...(await one(previousApiV3Key, 'apiv3-previous'))];
}

/** What names the merchant's key in requests, whether or not it may be shown. */
export const merchantWireSerial = (parts: ValidParts): string =>
  parts.certificate ? merchantFacts(parts).keyId : (parts.merchantSerial ?? '');

/** What names keys of the merchant’s, and so none of the platform’s. */
export const ownSerials = (parts: ValidParts): readonly string[] => [
  merchantWireSerial(parts),
  ...parts.retired.flatMap(({ certificate }) => certificate?.serialNumber ?? []),
];

/** Fields are encrypted for the merchant's key: the current one, then those retired. */
export function collectFieldKeys({ privateKey, retired }: ValidParts, merchant: KeyFacts) {
  const keys = retired.map(({ privateKey: key, certificate }) => {
    const facts: KeyFacts = certificate
      ? certificateFacts(certificate, 'merchant-retired')
      : publicKeyFacts(key.publicKey, 'merchant-retired');
    return { key, facts };
  });
  return [{ key: privateKey, facts: merchant }, ...keys];
}
