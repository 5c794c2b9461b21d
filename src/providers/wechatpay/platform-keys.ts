// The platform's keys by key id: every certificate given, and the public key. Which of them counts depends on the time.
import { isIssuedWithin, normalizeSerial, SignatureBudget } from '../../crypto/x509.ts';
import { type PaycertError, violation } from '../../errors.ts';
import { certificateFacts, isAlive, type PlatformKey, publicKeyFacts } from '../shared/facts.ts';
import type { NamedCertificate, Parts } from './parts.ts';

/** A public key id is an exact string; everything else is a serial number, whatever its case and leading zeros. */
const normalizeKeyId = (keyId: string): string =>
  keyId.startsWith('PUB_KEY_ID_') ? keyId : `serial ${normalizeSerial(keyId)}`;

export const isSameKeyId = (a: string, b: string): boolean => normalizeKeyId(a) === normalizeKeyId(b);

export class PlatformKeys {
  readonly all: readonly PlatformKey[];
  readonly #byId: ReadonlyMap<string, PlatformKey>;

  constructor(keys: readonly PlatformKey[]) {
    // Of two certificates with one serial number and one key, the one that lives longer.
    const byId = new Map<string, PlatformKey>();
    for (const key of keys) {
      const known = byId.get(normalizeKeyId(key.keyId));
      if (known === undefined || (known.notAfter ?? 0) < (key.notAfter ?? 0)) byId.set(normalizeKeyId(key.keyId), key);
    }
    this.#byId = byId;
    this.all = [...byId.values()];
  }

  alive(now: Date): readonly PlatformKey[] {
    return this.all.filter((key) => isAlive(key, now));
  }

  /** The key of that id, if it has not expired. */
  find(keyId: string, now: Date): PlatformKey | undefined {
    const key = this.#byId.get(normalizeKeyId(keyId));
    return key !== undefined && isAlive(key, now) ? key : undefined;
  }

  /**
   * The one to name and to encrypt for: the certificate that lives longest, or the public key, as configured; else what
   * there is. A certificate that is not valid yet is the last resort: the platform may not use it before.
   */
  preferred(prefersPublicKey: boolean, now: Date): PlatformKey | undefined {
    const alive = this.alive(now);
    const publicKey = alive.find(({ role }) => role === 'public-key');
    const certificates = alive.filter(({ role }) => role === 'platform');
    const begun = certificates.filter(({ notBefore = now }) => notBefore <= now);
    const [certificate] = (begun.length > 0 ? begun : certificates).toSorted(
      (a, b) => Number(b.notAfter ?? 0) - Number(a.notAfter ?? 0),
    );
    return prefersPublicKey ? (publicKey ?? certificate) : (certificate ?? publicKey);
  }
}

/** From parts whose keys are known to be RSA. */
export function collectPlatformKeys({ platformCertificates, publicKey, publicKeyId }: Parts): PlatformKeys {
  const keys = platformCertificates.map(certificateKey);
  if (publicKey && publicKeyId) {
    keys.push({ ...publicKeyFacts(publicKey, 'public-key', publicKeyId), publicKey, name: 'pub_key.pem' });
  }
  return new PlatformKeys(keys);
}

function certificateKey({ name, certificate }: NamedCertificate): PlatformKey {
  return { ...certificateFacts(certificate, 'platform'), publicKey: certificate.publicKey, name };
}

/** What is odd whatever the time: duplicates, and certificates outside the trust bundle. Found once per load. */
export function platformWarnings({ platformCertificates, trust }: Parts): readonly PaycertError[] {
  const seen = new Set<string>();
  const budget = new SignatureBudget();
  return platformCertificates.flatMap(({ name, certificate }) => {
    const warnings: PaycertError[] = [];
    const serial = normalizeSerial(certificate.serialNumber);
    if (seen.has(serial)) {
      warnings.push(...violation('platform-certificate-duplicate', name, 'is there twice, and was merged'));
    }
    seen.add(serial);
    if (trust.length > 0 && !isIssuedWithin(certificate, trust, budget)) {
      warnings.push(...violation('platform-certificate-untrusted', name, 'is not issued within trust.pem'));
    }
    return warnings;
  });
}
