// The platform's keys by key id: every certificate given, and the public key. Which of them counts depends on the time.
import type { X509Certificate } from 'node:crypto';
import { isIssuedWithin, normalizeSerial, publicKeyFingerprint, SignatureBudget } from '../../crypto/x509.ts';
import { PaycertError, violation } from '../../errors.ts';
import { certificateFacts, isAlive, type PlatformKey, publicKeyFacts } from '../shared/facts.ts';
import { isPlatformOfWechat, isSelfIssued } from '../shared/holder.ts';
import { serialIn } from './downloaded.ts';
import type { NamedCertificate, Parts } from './parts.ts';

/** A public key id is an exact string; everything else is a serial number, whatever its case and leading zeros. */
const normalizeKeyId = (keyId: string): string =>
  keyId.startsWith('PUB_KEY_ID_') ? keyId : `serial ${normalizeSerial(keyId)}`;

export const isSameKeyId = (a: string, b: string): boolean => a === b || normalizeKeyId(a) === normalizeKeyId(b);

/** Whatever asked for it. */
export const keyUnknown = (field: string) => new PaycertError('key-unknown', 'no platform key has this id', { field });

interface Preferred {
  readonly key: PlatformKey | undefined;
  readonly from: number;
  readonly until: number;
}

export class PlatformKeys {
  readonly all: readonly PlatformKey[];
  readonly #byId: ReadonlyMap<string, PlatformKey>;
  /** Times at which one of them begins or ends to count, in order. */
  readonly #turns: readonly number[];
  /** What was preferred last, of each of the two, and between which times it is. */
  readonly #preferred = new Map<boolean, Preferred>();

  constructor(keys: readonly PlatformKey[]) {
    // Of two certificates with one serial number and one key, the one that lives longer.
    const byId = new Map<string, PlatformKey>();
    for (const key of keys) {
      const known = byId.get(normalizeKeyId(key.keyId));
      if (known === undefined || (known.notAfter ?? 0) < (key.notAfter ?? 0)) byId.set(normalizeKeyId(key.keyId), key);
    }
    this.#byId = byId;
    this.all = [...byId.values()];
    const times = this.all.flatMap(({ notBefore, notAfter }) => [
      Number(notBefore ?? -Infinity),
      Number(notAfter ?? Infinity),
    ]);
    this.#turns = [...new Set([-Infinity, ...times, Infinity])].toSorted((a, b) => a - b);
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
   * there is. A certificate that is not valid yet is the last resort: the platform may not use it before. What is unusual is
   * named only where there is nothing else.
   */
  preferred(prefersPublicKey: boolean, now: Date): PlatformKey | undefined {
    const known = this.#preferred.get(prefersPublicKey);
    const at = now.getTime();
    // At every call, and another one a few times in a year.
    if (known !== undefined && known.from <= at && at < known.until) return known.key;
    const next = this.#turns.findIndex((time) => at < time);
    const key = this.#preferredAt(prefersPublicKey, now);
    this.#preferred.set(prefersPublicKey, { key, from: this.#turns[next - 1] ?? at, until: this.#turns[next] ?? at });
    return key;
  }

  #preferredAt(prefersPublicKey: boolean, now: Date): PlatformKey | undefined {
    const all = this.alive(now);
    const usual = all.filter(({ isUnusual }) => isUnusual !== true);
    const alive = usual.length > 0 ? usual : all;
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
export function collectPlatformKeys(parts: Parts): PlatformKeys {
  const { platformCertificates, announcedEnds, publicKey, publicKeyId } = parts;
  // Of two that are equal the first counts: what is listed as well is still its owner's.
  const ownFirst = platformCertificates.toSorted((a, b) => Number(isDownloaded(a.name)) - Number(isDownloaded(b.name)));
  const keys = ownFirst.map((named) => certificateKey(named, announcedEnds));
  if (publicKey && publicKeyId) {
    const isUnusual = certificateOf(parts) !== undefined;
    keys.push({ ...publicKeyFacts(publicKey, 'public-key', publicKeyId), publicKey, name: 'pub_key.pem', isUnusual });
  }
  return new PlatformKeys(keys);
}

/** The platform may announce that it stops using a certificate before that expires. */
function certificateKey({ name, certificate }: NamedCertificate, announcedEnds: Parts['announcedEnds']): PlatformKey {
  const { notAfter, ...facts } = certificateFacts(certificate, 'platform');
  const announced = announcedEnds.get(normalizeSerial(certificate.serialNumber));
  return {
    ...facts,
    notAfter: announced !== undefined && announced < notAfter ? announced : notAfter,
    publicKey: certificate.publicKey,
    name,
    isUnusual: whyUnusual(certificate) !== undefined,
    ...(isDownloaded(name) && { isDownloaded: true }),
  };
}

/** A certificate that may be WeChat Pay’s, and is not as its others are. */
function whyUnusual(certificate: X509Certificate): string | undefined {
  if (!isPlatformOfWechat(certificate)) return 'is not named “Tenpay.com sign”, as platform certificates are';
  return isSelfIssued(certificate) ? 'is self-signed, and an authority issues platform certificates' : undefined;
}

/** The platform certificate of the public key, which is another key at WeChat Pay. */
const certificateOf = ({ publicKey, platformCertificates }: Parts): NamedCertificate | undefined =>
  publicKey &&
  platformCertificates.find(
    ({ certificate }) => publicKeyFingerprint(certificate.publicKey) === publicKeyFingerprint(publicKey),
  );

const isDownloaded = (name: string): boolean => serialIn(name) !== undefined;

/** What is odd whatever the time: duplicates, certificates outside the trust bundle, names that are not WeChat Pay’s. Found once per load. */
export function platformWarnings(parts: Parts): readonly PaycertError[] {
  const { platformCertificates, trust } = parts;
  const seen = new Map<string, string>();
  const budget = new SignatureBudget();
  const copied = certificateOf(parts);
  const certificates = platformCertificates.flatMap(({ name, certificate }) => {
    const warnings: PaycertError[] = [];
    const why = whyUnusual(certificate);
    if (why !== undefined) warnings.push(...violation('material-unusual', name, why));
    const serial = normalizeSerial(certificate.serialNumber);
    // One that somebody keeps for a start without the network is downloaded as well.
    if (seen.has(serial) && !isDownloaded(name) && !isDownloaded(seen.get(serial) ?? '')) {
      warnings.push(...violation('platform-certificate-duplicate', name, 'is there twice, and was merged'));
    }
    seen.set(serial, name);
    if (trust.length > 0 && !isIssuedWithin(certificate, trust, budget)) {
      warnings.push(...violation('platform-certificate-untrusted', name, 'is not issued within trust.pem'));
    }
    return warnings;
  });
  return [
    ...certificates,
    ...(copied
      ? violation('material-unusual', 'pub_key.pem', `is the public key of ${copied.name}: WeChat Pay’s public key is another one, which its console hands out`) // prettier-ignore
      : []),
  ];
}
