// One key or certificate from DER, as OpenSSL reads it: undefined for what is not one, or is one that nobody could use.
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { certificateParts } from './signed.ts';

/** The first attempt that does not throw. */
function firstOf<T>(attempts: readonly (() => T)[]): T | undefined {
  for (const attempt of attempts) {
    try {
      return attempt();
    } catch {
      // A foreign parser says no in its own words; the caller says it in ours.
    }
  }
  return undefined;
}

const isOdd = (base64Url = ''): boolean => ((Buffer.from(base64Url, 'base64url').at(-1) ?? 0) & 1) === 1;

/**
 * OpenSSL takes any numbers for an RSA key. With an even modulus it throws when the key is used; an even exponent can not
 * be undone; with the exponent 1 the signature is the message, which everybody can write; and an exponent larger than 64
 * bits it refuses when a key is used, if the modulus is long or no longer than it. Real ones are 3 or 65537.
 */
function assertUsable(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'rsa') return key;
  const { n, e } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  const { publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (!isOdd(n) || !isOdd(e) || publicExponent === 1n || publicExponent >= 2n ** 64n) throw new Error('not an RSA key');
  return key;
}

/**
 * OpenSSL reads these only when they are asked for, and then throws, or Node returns no name. Of an invalid date the text
 * says so ("Bad time value"); the Date that Node makes of it comes from memory that nobody has set. A subject may be empty
 * where other names say whose it is (RFC 5280 §4.1.2.6), as in what cert-manager asks for without a common name.
 */
function assertWhole(certificate: X509Certificate): X509Certificate {
  assertUsable(certificate.publicKey);
  const { subject, subjectAltName, issuer, validFrom, validTo } = certificate as {
    readonly [K in keyof X509Certificate]?: unknown;
  };
  const isEmpty = () => certificateParts(certificate)?.subject.content.length === 0;
  const isNamed = subject !== undefined || (subjectAltName !== undefined && isEmpty());
  const isDated = [validFrom, validTo].every((date) => !Number.isNaN(Date.parse(String(date))));
  if (!isNamed || issuer === undefined || !isDated) throw new Error('a name or a date is missing');
  return certificate;
}

// The armour's label is not trusted: files with PKCS#1 under a PKCS#8 label, and the other way round, are common.
export const parsePrivate = (key: Buffer): KeyObject | undefined =>
  firstOf(
    (['pkcs8', 'pkcs1', 'sec1'] as const).map(
      (type) => () => assertUsable(createPrivateKey({ key, format: 'der', type })),
    ),
  );

export const parsePublic = (key: Buffer): KeyObject | undefined =>
  firstOf(
    (['spki', 'pkcs1'] as const).map((type) => () => assertUsable(createPublicKey({ key, format: 'der', type }))),
  );

export const parseCertificate = (der: Buffer): X509Certificate | undefined =>
  firstOf([() => assertWhole(new X509Certificate(der))]);

/**
 * PKCS#8 EncryptedPrivateKeyInfo (RFC 5958 §3): SEQUENCE { SEQUENCE { OID …, in hex, the OID being one of PKCS#5 or
 * PKCS#12. Public keys and certificates begin alike, up to the OID.
 */
const encryptedHead = /^30(?:[0-7].|81..|82.{4})30(?:[0-7].|81..)06..2a864886f70d01(?:05|0c)/;

export const looksEncrypted = (der: Buffer): boolean => encryptedHead.test(der.subarray(0, 32).toString('hex'));
