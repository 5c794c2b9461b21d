// Alipay's keys by key id: every certificate given, or the public keys. Which of them counts depends on the time.
import { type PaycertError, violation } from '../../errors.ts';
import { certificateFacts, type PlatformKey, publicKeyFacts } from '../shared/facts.ts';
import type { NamedKey } from '../shared/material.ts';
import type { Settings } from './options.ts';
import type { NamedChain, Parts } from './parts.ts';
import { isOfNobody } from './places.ts';
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
      leadsToRoot(chain.leaf, chain.intermediates, certificates) === false ||
      isOfNobody(chain.leaf, chain.intermediates, certificates)
        ? violation('platform-certificate-untrusted', chain.name, `does not lead to a certificate of ${name}`)
        : [],
    ),
  ];
}

/** A folder of certificates under `mode: key` signs, and verifies nothing: its files are for the other mode. */
export const modeWarnings = (
  { alipayPublicKeys }: Parts,
  { mode }: Pick<Settings, 'mode'>,
  unread: readonly string[],
): readonly PaycertError[] =>
  mode === 'key' && alipayPublicKeys.length === 0 && unread[0] !== undefined
    ? violation('material-unusual', unread[0], `${unread.length > 1 ? `and ${unread.slice(1).join(', ')} are` : 'is'} not read in \`mode: key\`, which verifies with alipay_public_key: say \`mode: certificate\``) // prettier-ignore
    : [];
