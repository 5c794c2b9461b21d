// Makes RSA key pairs and writes keys in the PEM forms that platforms hand out.
import { generateKeyPair as generate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

const generateInThreadPool = promisify(generate);

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A new RSA pair of that many bits, generated in the thread pool; 2048 bits take about 100 ms. */
export async function generateKeyPair(modulusLength = 2048): Promise<KeyPair> {
  return generateInThreadPool('rsa', { modulusLength });
}

/** `-----BEGIN PRIVATE KEY-----`, as in apiclient_key.pem. */
export function toPkcs8Pem(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** `-----BEGIN RSA PRIVATE KEY-----`, what older tools write. */
export function toPkcs1Pem(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

/** `-----BEGIN PUBLIC KEY-----`, as in pub_key.pem. */
export function toSpkiPem(publicKey: KeyObject): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}
