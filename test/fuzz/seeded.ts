// Keys and chance that follow from a seed, so that a corpus can be made again: node:crypto itself takes no seed.
import crypto, {
  checkPrimeSync,
  constants,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  publicEncrypt,
} from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import forge from 'node-forge';
import type { KeyPair } from '../../src/testing/index.ts';
import type { Random } from './random.ts';

const exponent = 65537n;

const toInteger = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);

function toBase64Url(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url');
}

/** A prime whose two highest bits are set, so that the product of two has exactly twice the bits. */
function makePrime(random: Random, bits: number): bigint {
  const start = random.bytes(bits / 8);
  start[0] = (start[0] ?? 0) | 0xc0;
  for (let candidate = toInteger(start) | 1n; ; candidate += 2n) {
    if (candidate % exponent !== 1n && checkPrimeSync(candidate)) return candidate;
  }
}

/** The inverse of an odd prime number modulo anything (extended Euclid). */
function inverse(value: bigint, modulus: bigint): bigint {
  let [r, next, t, nextT] = [modulus, value % modulus, 0n, 1n];
  while (next !== 0n) {
    const quotient = r / next;
    [r, next, t, nextT] = [next, r - quotient * next, nextT, t - quotient * nextT];
  }
  return t < 0n ? t + modulus : t;
}

export function makeKeyPair(random: Random, bits = 2048): KeyPair {
  const [p, q] = [makePrime(random, bits / 2), makePrime(random, bits / 2)];
  const d = inverse(exponent, (p - 1n) * (q - 1n));
  const parts = { n: p * q, e: exponent, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const members = Object.entries(parts).map(([name, value]) => [name, toBase64Url(value)]);
  const key = { kty: 'RSA', ...(Object.fromEntries(members) as Record<string, string>) };
  const privateKey = createPrivateKey({ key, format: 'jwk' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** Elliptic curve P-256, which no WeChat Pay key is. */
export function makeCurveKey(random: Random): KeyObject {
  const curve = crypto.createECDH('prime256v1');
  const scalar = random.bytes(32).fill(1, 0, 1);
  curve.setPrivateKey(scalar);
  const point = curve.getPublicKey();
  const [d, x, y] = [scalar, point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'));
  return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d: d ?? '', x: x ?? '', y: y ?? '' }, format: 'jwk' });
}

/** What the types of node-forge leave out. */
const { encode_rsa_oaep: encodeOaep } = (
  forge as unknown as {
    pkcs1: { encode_rsa_oaep: (key: forge.pki.rsa.PublicKey, text: string, options: { seed: string }) => string };
  }
).pkcs1;

/** RSAES-OAEP with SHA-1 whose seed is given; OpenSSL always takes its own. */
export function encryptFieldWithSeed(random: Random, publicKey: KeyObject, text: string): string {
  const key = forge.pki.publicKeyFromPem(publicKey.export({ type: 'spki', format: 'pem' }).toString());
  const block = Buffer.from(encodeOaep(key, text, { seed: random.bytes(20).toString('latin1') }), 'latin1');
  return publicEncrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, block).toString('base64');
}

/** While the work runs, what asks node:crypto or node-forge for chance gets the seed's. Nothing else may run meanwhile. */
export async function withSeededChance<T>(random: Random, work: () => Promise<T>): Promise<T> {
  const { randomBytes, randomInt, randomUUID } = crypto;
  const { getBytes, getBytesSync } = forge.random;
  Object.assign(crypto, {
    randomBytes: (size: number) => random.bytes(size),
    randomInt: (limit: number) => random.below(limit),
    randomUUID: () => random.bytes(16).toString('hex'),
  });
  forge.random.getBytesSync = (size) => random.bytes(size).toString('latin1');
  forge.random.getBytes = forge.random.getBytesSync;
  syncBuiltinESMExports();
  try {
    return await work();
  } finally {
    Object.assign(crypto, { randomBytes, randomInt, randomUUID });
    Object.assign(forge.random, { getBytes, getBytesSync });
    syncBuiltinESMExports();
  }
}
