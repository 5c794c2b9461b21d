// Alipay's keys by key id: every certificate given, or the public keys. Which of them counts depends on the time.
import { type PaycertError, violation } from '../../errors.ts';
import { certificateFacts, type PlatformKey, publicKeyFacts } from '../shared/facts.ts';
import type { NamedKey } from '../shared/material.ts';
import type { Settings } from './options.ts';
import type { NamedChain, Parts } from './parts.ts';
import { serialOf } from './serials.ts';
import { environmentOf, leadsToRoot } from './trust.ts';

const fromCertificate = ({ name, leaf }: NamedChain): PlatformKey => ({
  ...certificateFacts(leaf, 'platform', serialOf(leaf)),
  publicKey: leaf.publicKey,
  name,
});

const fromPublicKey = ([name, publicKey]: NamedKey): PlatformKey => ({
  ...publicKeyFacts(publicKey, 'public-key'),
  publicKey,
  name,
});

/** Without repetitions: a certificate that is there twice is one. */
export function collectPlatformKeys(parts: Parts, mode: Settings['mode']): readonly PlatformKey[] {
  const keys =
    mode === 'key' ? parts.alipayPublicKeys.map(fromPublicKey) : parts.alipayCertificates.map(fromCertificate);
  return [...new Map(keys.toReversed().map((key) => [key.keyId, key])).values()].toReversed();
}

/** What is odd whatever the time. Found once per load. */
export function partWarnings(
  { alipayCertificates, appCertificates, roots }: Parts,
  { mode, gateway }: Pick<Settings, 'mode' | 'gateway'>,
): readonly PaycertError[] {
  if (mode === 'key' || roots === undefined) return [];
  const { name, certificates, unreadable } = roots;
  return [
    ...(unreadable === 0
      ? []
      : violation('root-certificate-skipped', name, `holds ${unreadable} that cannot be read, and was read without`)),
    ...(gateway === 'sandbox' && certificates.some((root) => environmentOf(root) === 'production')
      ? violation('environment-mismatch', name, 'holds a root of production, and `gateway` is sandbox')
      : []),
    ...[...appCertificates, ...alipayCertificates].flatMap((chain) =>
      leadsToRoot(chain.leaf, chain.intermediates, certificates) === false
        ? violation('platform-certificate-untrusted', chain.name, `does not lead to a certificate of ${name}`)
        : [],
    ),
  ];
}
