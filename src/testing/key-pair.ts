// Makes RSA key pairs and writes keys in the PEM forms that platforms hand out.
import { generateKeyPair as generate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

const generateInThreadPool = promisify(generate);

/** An RSA key pair in memory. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * A new RSA pair of that many bits, generated in the thread pool; 2048 bits take about 100 ms.
 * @example
 * import { generateKeyPair } from 'paycert/testing';
 *
 * const { privateKey } = await generateKeyPair(3072);
 * console.log(privateKey.asymmetricKeyDetails?.modulusLength); // → 3072
 */
export async function generateKeyPair(modulusLength = 2048): Promise<KeyPair> {
  return generateInThreadPool('rsa', { modulusLength });
}

/**
 * PKCS#8, `-----BEGIN PRIVATE KEY-----`, as in apiclient_key.pem.
 * @example
 * import { generateKeyPair, toPkcs8Pem } from 'paycert/testing';
 *
 * const { privateKey } = await generateKeyPair();
 * console.log(toPkcs8Pem(privateKey).split('\n')[0]); // → -----BEGIN PRIVATE KEY-----
 */
export function toPkcs8Pem(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * PKCS#1, `-----BEGIN RSA PRIVATE KEY-----`, which older tools write.
 * @example
 * import { generateKeyPair, toPkcs1Pem } from 'paycert/testing';
 *
 * const { privateKey } = await generateKeyPair();
 * console.log(toPkcs1Pem(privateKey).split('\n')[0]); // → -----BEGIN RSA PRIVATE KEY-----
 */
export function toPkcs1Pem(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

/**
 * SPKI, `-----BEGIN PUBLIC KEY-----`, as in pub_key.pem.
 * @example
 * import { generateKeyPair, toSpkiPem } from 'paycert/testing';
 *
 * const { publicKey } = await generateKeyPair();
 * console.log(toSpkiPem(publicKey).split('\n')[0]); // → -----BEGIN PUBLIC KEY-----
 */
export function toSpkiPem(publicKey: KeyObject): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}
