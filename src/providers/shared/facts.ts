// What providers say of their keys: facts without secrets, and which of them still count.
import type { KeyObject, X509Certificate } from 'node:crypto';
import { formerCheckValue, type NameSecret } from '../../crypto/check-value.ts';
import { certificateFingerprint, describeAlgorithm, publicKeyFingerprint, wireSerial } from '../../crypto/x509.ts';
import type { Suite } from '../../crypto/suites.ts';
import { type PaycertError, violation } from '../../errors.ts';
import type { FileFacts } from '../platform.ts';
import type { KeyFacts, Verifier } from '../provider.ts';
import type { CertificateRole } from '../roles.ts';

/** Alive: its holder may still sign with it. A public key does not expire. */
export const isAlive = (key: KeyFacts, now: Date): boolean => key.notAfter === undefined || now < key.notAfter;

/** Facts of a certificate under a role; its key id is the serial number in wire form unless the platform has its own. */
export function certificateFacts<R extends CertificateRole>(
  certificate: X509Certificate,
  role: R,
  keyId = wireSerial(certificate.serialNumber),
) {
  return {
    role,
    keyId,
    algorithm: describeAlgorithm(certificate.publicKey),
    fingerprint: certificateFingerprint(certificate),
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
    issuer: certificate.issuer.split('\n').join(', '),
  };
}

/** What `paycert inspect` shows of a certificate, under what the platform calls it and names it by. */
export function issuedFacts(certificate: X509Certificate, what: string, keyId?: string): FileFacts {
  const { role: _, ...facts } = certificateFacts(certificate, 'platform', keyId);
  return { what, ...facts, publicKey: publicKeyFingerprint(certificate.publicKey) };
}

/** Facts of a key without a certificate, private or public. Where the wire has no name for it, it gets one of ours. */
export function publicKeyFacts<R extends KeyFacts['role']>(key: KeyObject, role: R, keyId?: string) {
  const fingerprint = publicKeyFingerprint(key);
  return { role, keyId: keyId ?? fingerprint.slice(0, 16), algorithm: describeAlgorithm(key), fingerprint };
}

/** Facts of a symmetric key, which its check value names where nothing else does, or what `nameSecret` gives instead. */
export async function secretFacts<R extends KeyFacts['role']>(
  key: KeyObject,
  { role, algorithm, keyId }: { readonly role: R; readonly algorithm: string; readonly keyId?: string },
  nameSecret: NameSecret,
) {
  const fingerprint = await nameSecret(key);
  return { role, keyId: keyId ?? fingerprint, algorithm, fingerprint, formerFingerprint: formerCheckValue(key) };
}

/** The facts of a key without the key. */
export function publicFacts(facts: KeyFacts): KeyFacts {
  const { role, keyId, algorithm, fingerprint, formerFingerprint, notBefore, notAfter, issuer, isDownloaded } = facts;
  return {
    role,
    keyId,
    algorithm,
    fingerprint,
    ...(formerFingerprint !== undefined && { formerFingerprint }),
    ...(notBefore && { notBefore }),
    ...(notAfter && { notAfter }),
    ...(issuer && { issuer }),
    ...(isDownloaded && { isDownloaded }),
  };
}

/** A key that verifies what the platform signed. */
export interface PlatformKey extends KeyFacts {
  readonly publicKey: KeyObject;
  /** The material's name, for warnings. */
  readonly name: string;
  /** Not as the platform’s own are: used only where nothing else is there. */
  readonly isUnusual?: boolean;
}

/** How a public key checks signatures that are written in base64. */
export const publicVerifier = (key: KeyFacts & { readonly publicKey: KeyObject }, suite: Suite): Verifier => ({
  facts: publicFacts(key),
  id: publicKeyFingerprint(key.publicKey),
  confirm: ({ messages, signature }) => suite.find(key.publicKey, messages, Buffer.from(signature, 'base64')),
});

/** Certificates that have expired: they are not used any more, and worth a word. */
export function expiryWarnings(keys: readonly PlatformKey[], now: Date): readonly PaycertError[] {
  return keys
    .filter((key) => !isAlive(key, now))
    .flatMap(({ name }) => violation('platform-certificate-expired', name, 'has expired and is not used'));
}
