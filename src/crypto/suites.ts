// Signature algorithms, one row each: which keys an algorithm takes, how it signs and verifies. Code takes the row and never asks its name.
import { constants, type KeyObject, publicDecrypt, sign, type SignKeyObjectInput, verify } from 'node:crypto';
import { type PaycertError, violation } from '../errors.ts';
import type { Message } from './message.ts';
import { describeAlgorithm } from './x509.ts';

export interface Suite {
  readonly id: 'RSASSA-PKCS1-v1_5 with SHA-256' | 'RSASSA-PSS with SHA-256';
  /** As Node calls the kinds of keys that it takes. */
  readonly keyTypes: readonly (string | undefined)[];
  /** What a key service has to be told: left to itself it pads in another way. */
  readonly padding: { readonly name: 'pkcs1v15' } | { readonly name: 'pss'; readonly saltLength: number };
  /** In the thread pool: a signature takes ten times as long as a verification. */
  readonly sign: (privateKey: KeyObject, message: Uint8Array) => Promise<Uint8Array>;
  /** The same in the event loop, which it holds meanwhile: for where nobody waits behind it. */
  readonly signHere: (privateKey: KeyObject, message: Uint8Array) => Uint8Array;
  /**
   * In the event loop: a verification takes 0.03 ms, less than it costs to hand it to the pool and back, and it never
   * waits behind signatures.
   */
  readonly verify: (publicKey: KeyObject, message: Uint8Array, signature: Uint8Array) => boolean;
  /** Which of these messages that key signed, for messages of which only one can be; undefined where it is not one of them. */
  readonly find: (publicKey: KeyObject, messages: readonly Message[], signature: Uint8Array) => number | undefined;
  /** Why that key cannot be used with this algorithm; `field` is the part that holds it. */
  readonly check: (key: KeyObject, field: string) => readonly PaycertError[];
}

/** RSA with SHA-256 over the whole message; `keyed` says the padding beside the key. */
const rsaSha256 = (
  keyed: (key: KeyObject) => KeyObject | SignKeyObjectInput,
): Pick<Suite, 'sign' | 'signHere' | 'verify'> => ({
  sign: (key, message) =>
    new Promise((resolve, reject) => {
      sign('sha256', message, keyed(key), (error, signature) => {
        if (error) reject(error);
        else resolve(signature);
      });
    }),
  signHere: (key, message) => sign('sha256', message, keyed(key)),
  verify: (key, message, signature) => verify('sha256', message, keyed(key), signature),
});

const firstWhere = <T>(all: readonly T[], matches: (one: T) => boolean): number | undefined => {
  const at = all.findIndex(matches);
  return at === -1 ? undefined : at;
};

/** DigestInfo of SHA-256 up to the digest (RFC 8017 §9.2, note 1). */
const digestInfo = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** What PKCS#1 v1.5 pads, of a digest of SHA-256. */
export const digestInfoOf = (sha256: Uint8Array): Buffer => Buffer.concat([digestInfo, sha256]);

/** Whether that is what is padded of a digest, without a copy of it. */
const isInfoOf = (padded: Buffer, sha256: Buffer): boolean =>
  padded.byteLength === digestInfo.byteLength + sha256.byteLength &&
  digestInfo.compare(padded, 0, digestInfo.byteLength) === 0 &&
  sha256.compare(padded, digestInfo.byteLength) === 0;

/** Node makes an object of a key's details each time that they are asked for. */
const lengths = new WeakMap<KeyObject, number>();

/** In bytes; 0 of what has none. */
export function modulusLength(key: KeyObject): number {
  const known = lengths.get(key);
  if (known !== undefined) return known;
  const length = Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  lengths.set(key, length);
  return length;
}

/** What was padded and signed, as OpenSSL itself recovers it to verify; undefined where the padding is wrong. */
function recover(key: KeyObject, signature: Uint8Array): Buffer | undefined {
  // RFC 8017 §8.2.2, step 1.
  if (signature.byteLength !== modulusLength(key)) return undefined;
  try {
    return publicDecrypt(key, signature);
  } catch {
    // OpenSSL says no in its own words: the padding, or a number that is too large.
    return undefined;
  }
}

/** RFC 8017 §8.2: what WeChat Pay and Alipay call SHA256-RSA2048 and RSA2. */
export const rsaPkcs1: Suite = {
  id: 'RSASSA-PKCS1-v1_5 with SHA-256',
  keyTypes: ['rsa'],
  padding: { name: 'pkcs1v15' },
  // Node's padding for a key of type rsa. A bare key: Node takes 25 µs to see that an object which names a padding is no key.
  ...rsaSha256((key) => key),
  // One RSA operation per key, whatever the length and the number of the messages.
  find(key, messages, signature) {
    const recovered = recover(key, signature);
    return recovered && firstWhere(messages, ({ sha256 }) => isInfoOf(recovered, sha256));
  },
  // Node parses SM2 keys and then computes wrong results with them.
  check: (key, field) =>
    key.asymmetricKeyType === 'rsa'
      ? rsaSizeProblems(key, field)
      : violation('algorithm-unsupported', field, `holds a key of type ${describeAlgorithm(key)}, not RSA`),
};

const saltLength = 32;
const withPss = rsaSha256((key) => ({ key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }));

/**
 * RFC 8017 §8.1 with MGF1 over the same hash and a salt of exactly 32 bytes: without its length, OpenSSL verifies any.
 * The salt is random, so no two signatures are equal.
 */
export const rsaPss: Suite = {
  id: 'RSASSA-PSS with SHA-256',
  keyTypes: ['rsa', 'rsa-pss'],
  padding: { name: 'pss', saltLength },
  ...withPss,
  find: (key, messages, signature) => firstWhere(messages, ({ bytes }) => withPss.verify(key, bytes, signature)),
  // A key may be bound to PSS, and then to parameters (RFC 4055 §3.1), which must be those of the scheme.
  check(key, field) {
    if (key.asymmetricKeyType !== 'rsa-pss') return rsaPkcs1.check(key, field);
    const { hashAlgorithm = 'sha256', mgf1HashAlgorithm = 'sha256', saltLength: least = 0 } = key.asymmetricKeyDetails ?? {}; // prettier-ignore
    return hashAlgorithm === 'sha256' && mgf1HashAlgorithm === 'sha256' && least <= saltLength
      ? rsaSizeProblems(key, field)
      : violation(
          'algorithm-unsupported',
          field,
          `is bound to PSS with ${hashAlgorithm}, MGF1 with ${mgf1HashAlgorithm} and a salt of ${least} bytes, not to sha256 twice and 32 bytes`,
        );
  },
};

/** 2048 to 8192 bits: a larger key holds the thread pool. */
export function rsaSizeProblems(key: KeyObject, field: string): readonly PaycertError[] {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 2048;
  if (bits < 2048) return violation('key-too-small', field, `holds an RSA key of ${bits} bits`);
  return bits > 8192 ? violation('key-too-large', field, `holds an RSA key of ${bits} bits`) : [];
}

/** Of the schemes of one platform, each with its suite, the one for that key; the first one says what is wrong with others. */
export const schemeFor = <T extends { readonly suite: Suite }>(schemes: readonly [T, ...T[]], key: KeyObject): T =>
  schemes.find(({ suite }) => suite.keyTypes.includes(key.asymmetricKeyType)) ?? schemes[0];
