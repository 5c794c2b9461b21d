// Signatures over bytes: RSASSA-PKCS1-v1_5 (RFC 8017 §8.2) and RSASSA-PSS (§8.1), both with SHA-256; and whether a pair is one.
import { constants, type KeyObject, sign, verify } from 'node:crypto';

/** In the thread pool: a signature takes ten times as long as a verification. */
export function signRsaSha256(privateKey: KeyObject, message: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign('sha256', message, privateKey, (error, signature) => {
      if (error) reject(error);
      else resolve(signature);
    });
  });
}

/**
 * In the event loop: a verification takes 0.03 ms, less than it costs to hand it to the pool and back, and it never
 * waits behind signatures.
 */
export function verifyRsaSha256(publicKey: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return verify('sha256', message, publicKey, signature);
}

/** MGF1 takes the digest's own hash. Without the salt length, OpenSSL verifies any salt. */
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } as const;

/** In the thread pool. The salt is random: no two signatures are equal. */
export function signPssSha256(privateKey: KeyObject, message: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign('sha256', message, { key: privateKey, ...pss }, (error, signature) => {
      if (error) reject(error);
      else resolve(signature);
    });
  });
}

/** With a salt of exactly 32 bytes; in the event loop, as above. */
export function verifyPssSha256(publicKey: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return verify('sha256', message, { key: publicKey, ...pss }, signature);
}

export type RsaPadding = 'pkcs1' | 'pss';

/** How a signature of that padding verifies. */
export const rsaVerifiers: Readonly<Record<RsaPadding, typeof verifyRsaSha256>> = {
  pkcs1: verifyRsaSha256,
  pss: verifyPssSha256,
};

/** Whether what a private key of any kind signs verifies with that public key. In the thread pool. */
export function provesPair(privateKey: KeyObject, publicKey: KeyObject): Promise<boolean> {
  const message = Buffer.from('paycert self-test');
  // Edwards curves hash by themselves.
  const digest = privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return new Promise((resolve) => {
    sign(digest, message, privateKey, (error, signature) =>
      // Whatever it is: a key with damaged primes makes OpenSSL throw.
      resolve(error === null && verify(digest, message, publicKey, signature)),
    );
  });
}
