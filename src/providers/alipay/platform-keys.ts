// Alipay's keys by key id: every certificate given, or the public keys. Which of them counts depends on the time.
import type { KeyObject } from 'node:crypto';
import { describeAlgorithm, publicKeyFingerprint } from '../../crypto/x509.ts';
import { PaycertError } from '../../errors.ts';
import { certificateFacts, isAlive, type NamedKey } from '../facts.ts';
import type { KeyFacts } from '../provider.ts';
import type { AlipayOptions } from './options.ts';
import type { NamedChain, Parts } from './parts.ts';
import { serialOf } from './serials.ts';
import { environmentOf, leadsToRoot } from './trust.ts';

export interface PlatformKey extends KeyFacts {
  readonly publicKey: KeyObject;
  /** The material's name, for warnings. */
  readonly name: string;
}

/** A key without a certificate has no name on the wire: it gets one of ours. */
export function publicKeyFacts<R extends KeyFacts['role']>(key: KeyObject, role: R) {
  const fingerprint = publicKeyFingerprint(key);
  return { role, keyId: fingerprint.slice(0, 16), algorithm: describeAlgorithm(key), fingerprint };
}

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
export function collectPlatformKeys(parts: Parts, mode: AlipayOptions['mode']): readonly PlatformKey[] {
  const keys =
    mode === 'key' ? parts.alipayPublicKeys.map(fromPublicKey) : parts.alipayCertificates.map(fromCertificate);
  return [...new Map(keys.toReversed().map((key) => [key.keyId, key])).values()].toReversed();
}

/** What is odd whatever the time. Found once per load. */
export function partWarnings(
  { alipayCertificates, appCertificates, roots }: Parts,
  { mode, gateway }: Pick<AlipayOptions, 'mode' | 'gateway'>,
): readonly PaycertError[] {
  if (mode === 'key' || roots === undefined) return [];
  const { name, certificates, unreadable } = roots;
  const warn = (...[code, field, message]: [ConstructorParameters<typeof PaycertError>[0], string, string]) =>
    new PaycertError(code, `${field} ${message}`, { field });
  return [
    ...(unreadable === 0
      ? []
      : [warn('root-certificate-skipped', name, `holds ${unreadable} that cannot be read, and was read without`)]),
    ...(gateway === 'sandbox' && certificates.some((root) => environmentOf(root) === 'production')
      ? [warn('environment-mismatch', name, 'holds a root of production, and `gateway` is sandbox')]
      : []),
    ...[...appCertificates, ...alipayCertificates].flatMap((chain) =>
      leadsToRoot(chain.leaf, chain.intermediates, certificates) === false
        ? [warn('platform-certificate-untrusted', chain.name, `does not lead to a certificate of ${name}`)]
        : [],
    ),
  ];
}

/** Certificates that have expired: they are not used any more, and worth a word. */
export function expiryWarnings(keys: readonly PlatformKey[], now: Date): readonly PaycertError[] {
  return keys
    .filter((key) => !isAlive(key, now))
    .map(
      ({ name }) =>
        new PaycertError('platform-certificate-expired', `${name} has expired and is not used`, { field: name }),
    );
}
