// Signatures over bytes, in the thread pool: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2).
import { type KeyObject, sign, verify } from 'node:crypto';

export function signRsaSha256(privateKey: KeyObject, message: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign('sha256', message, privateKey, (error, signature) => {
      if (error) reject(error);
      else resolve(signature);
    });
  });
}

export function verifyRsaSha256(publicKey: KeyObject, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    verify('sha256', message, publicKey, signature, (error, isValid) => {
      if (error) reject(error);
      else resolve(isValid);
    });
  });
}
