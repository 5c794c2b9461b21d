// What every RSA key must be, whoever the platform is.
import type { KeyObject } from 'node:crypto';
import { describeAlgorithm } from '../../crypto/x509.ts';
import type { PaycertError } from '../../errors.ts';
import { violation } from './material.ts';

/** Node parses SM2 keys and then computes wrong results with them. */
export function rsaProblems(field: string, key: KeyObject): readonly PaycertError[] {
  return key.asymmetricKeyType === 'rsa'
    ? rsaSizeProblems(field, key)
    : violation('algorithm-unsupported', field, `holds a key of type ${describeAlgorithm(key)}, not RSA`);
}

/** 2048 to 8192 bits: a larger key holds the thread pool. */
export function rsaSizeProblems(field: string, key: KeyObject): readonly PaycertError[] {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 2048;
  if (bits < 2048) return violation('key-too-small', field, `holds an RSA key of ${bits} bits`);
  return bits > 8192 ? violation('key-too-large', field, `holds an RSA key of ${bits} bits`) : [];
}
