// What providers say of their keys, and what every one of them demands of an RSA key.
import type { KeyObject, X509Certificate } from 'node:crypto';
import { certificateFingerprint, describeAlgorithm, wireSerial } from '../crypto/x509.ts';
import { type ErrorCode, PaycertError } from '../errors.ts';
import type { KeyFacts } from './provider.ts';

/** Alive: whoever holds it may still sign with it. A public key does not expire. */
export const isAlive = (key: KeyFacts, now: Date): boolean => key.notAfter === undefined || now < key.notAfter;

/** Facts of a certificate under a role; its key id is the serial number in wire form unless the platform has its own. */
export function certificateFacts<R extends KeyFacts['role']>(
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

/** The facts of a key without the key. */
export function publicFacts({ role, keyId, algorithm, fingerprint, notBefore, notAfter, issuer }: KeyFacts): KeyFacts {
  return {
    role,
    keyId,
    algorithm,
    fingerprint,
    ...(notBefore && { notBefore }),
    ...(notAfter && { notAfter }),
    ...(issuer && { issuer }),
  };
}

export const violation = (code: ErrorCode, field: string, message: string): readonly PaycertError[] => [
  new PaycertError(code, `${field} ${message}`, { field }),
];

/** A key under the name of the material that holds it. */
export type NamedKey = readonly [name: string, key: KeyObject];

/** The protocols are RSA; Node parses SM2 keys and then computes wrong results with them. */
export const judgeAlgorithms = (keys: readonly NamedKey[]): readonly PaycertError[] =>
  keys.flatMap(([field, key]) =>
    key.asymmetricKeyType === 'rsa'
      ? []
      : violation('algorithm-unsupported', field, `holds a key of type ${describeAlgorithm(key)}, not RSA`),
  );

export const judgeSizes = (keys: readonly NamedKey[]): readonly PaycertError[] =>
  keys.flatMap(([field, key]) => {
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 2048;
    if (bits < 2048) return violation('key-too-small', field, `holds an RSA key of ${bits} bits`);
    return bits > 8192 ? violation('key-too-large', field, `holds an RSA key of ${bits} bits`) : [];
  });
