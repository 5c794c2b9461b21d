// Facts about certificates and keys: serial numbers, fingerprints, validity, issuer, links.
import { createHash, createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto';

/** Far longer than a serial number of twenty octets, however it is written. */
const longestSerial = 256;

/** A serial number for comparison: upper-case hex without separators, prefix or leading zeros. What is longer is left as it is. */
export function normalizeSerial(serial: string): string {
  // As platforms write it, at every call: as it is.
  if (serial.length > longestSerial || /^[1-9A-F][0-9A-F]*$/.test(serial)) return serial;
  return serial
    .replace(/^0x/i, '')
    .replace(/[:\s-]/g, '')
    .toUpperCase()
    .replace(/^0+(?=.)/, '');
}

/** A serial number as it is sent: upper-case hex of even length (Tenpay issues some with leading zeros). */
export function wireSerial(serial: string): string {
  const digits = normalizeSerial(serial);
  return digits.length % 2 === 0 ? digits : `0${digits}`;
}

/** SHA-256 of the certificate's DER, lower-case hex. */
export function certificateFingerprint(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('hex');
}

/** Asked for again and again while a set is loaded; writing a key as DER takes OpenSSL a quarter of a millisecond. */
const fingerprints = new WeakMap<KeyObject, string>();

/** SHA-256 of the SubjectPublicKeyInfo (of the public half of a private key), lower-case hex: equal for equal pairs. */
export function publicKeyFingerprint(key: KeyObject): string {
  const known = fingerprints.get(key);
  if (known !== undefined) return known;
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const fingerprint = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
  fingerprints.set(key, fingerprint);
  return fingerprint;
}

/** For people: `RSA-2048`, `EC`, `unknown` (which is what Node makes of SM2). */
export function describeAlgorithm(key: KeyObject): string {
  const type = key.asymmetricKeyType?.toUpperCase() ?? 'unknown';
  const { modulusLength, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  const kind = modulusLength ?? curveNames[namedCurve] ?? namedCurve;
  return kind === '' ? type : `${type}-${kind}`;
}

/** What people call the curves that OpenSSL has other names for. */
const curveNames: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

/** The last value of an attribute (`CN`, `O`) of a distinguished name as Node prints it: one `K=V` a line, and nothing for an empty one. */
export function nameAttribute(name: string | undefined, attribute: string): string | undefined {
  const lines = (name ?? '').split('\n').filter((line) => line.startsWith(`${attribute}=`));
  return lines.at(-1)?.slice(attribute.length + 1);
}

/** How many signatures a search for issuers may verify: certificates of one name can be made by the hundred. */
export class SignatureBudget {
  #left = 500;

  get left(): number {
    return this.#left;
  }

  /** False once nothing is left: then the search ends, and finds no issuer. */
  take(): boolean {
    this.#left -= 1;
    return this.#left >= 0;
  }
}

/** Whether some certificate of the bundle issued this one, or is it: links and signatures, no policy. */
export function isIssuedWithin(
  certificate: X509Certificate,
  bundle: readonly X509Certificate[],
  budget = new SignatureBudget(),
): boolean {
  return bundle.some(
    (issuer) =>
      issuer.fingerprint256 === certificate.fingerprint256 ||
      (certificate.checkIssued(issuer) && budget.take() && certificate.verify(issuer.publicKey)),
  );
}
