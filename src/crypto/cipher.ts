// Ciphers over bytes: AES-256-GCM and AES-128-CBC (NIST SP 800-38D, 800-38A), AES-256-ECB, RSAES-OAEP with SHA-1 and, to read old fields, RSAES-PKCS1-v1_5 (RFC 8017 §7).
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  subtle,
} from 'node:crypto';

const tagBytes = 16;
const nonceBytes = 12;

/** A key of 16 or 32 bytes, built once: a raw buffer costs three times as much per operation. */
export function aesKey(bytes: Uint8Array): KeyObject {
  return createSecretKey(bytes);
}

/** The plaintext, or nothing when it does not authenticate. `sealed` is ciphertext ‖ tag. */
export function openAesGcm(
  key: KeyObject,
  nonce: Uint8Array,
  associatedData: Uint8Array,
  sealed: Uint8Array,
): Buffer | undefined {
  // OpenSSL takes nonces of any length, and tags of some, unless told.
  if (nonce.byteLength !== nonceBytes || sealed.byteLength < tagBytes) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(associatedData);
  decipher.setAuthTag(sealed.subarray(sealed.byteLength - tagBytes));
  const head = decipher.update(sealed.subarray(0, sealed.byteLength - tagBytes));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  // GCM is a stream cipher: final() only checks the tag and yields no bytes.
  return head;
}

/**
 * The plaintext of AES-256-ECB with PKCS#7 padding, or nothing. **Danger**: it proves nothing. Blocks can be left out,
 * repeated and exchanged unseen, and one ciphertext in 256 opens with any key.
 */
export function openAesEcb(key: KeyObject, ciphertext: Uint8Array): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-ecb', key, null);
  try {
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch (error) {
    if (isOpenSslError(error)) return undefined;
    throw error;
  }
}

/** PKCS#7 padding. It authenticates nothing: verify what others wrote before you open it. */
export function sealAesCbc(key: KeyObject, iv: Uint8Array, plaintext: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-128-cbc', key, iv);
  return Buffer.concat([cipher.update(plaintext), cipher.final()]);
}

/** The plaintext, or undefined if the padding is invalid, the only sign of a wrong key. */
export function openAesCbc(key: KeyObject, iv: Uint8Array, ciphertext: Uint8Array): Buffer | undefined {
  const decipher = createDecipheriv('aes-128-cbc', key, iv);
  const head = decipher.update(ciphertext);
  try {
    return Buffer.concat([head, decipher.final()]);
  } catch (error) {
    if (isOpenSslError(error)) return undefined;
    throw error;
  }
}

const oaepParameters = { name: 'RSA-OAEP', hash: 'SHA-1' } as const;

/** Opens OAEP ciphertexts in the thread pool: `privateDecrypt` has no asynchronous form and would hold the event loop. */
export function oaepOpener(privateKey: KeyObject): (ciphertext: Uint8Array) => Promise<Buffer | undefined> {
  const key = privateKey.toCryptoKey(oaepParameters, false, ['decrypt']);
  return async (ciphertext) => {
    try {
      return Buffer.from(await subtle.decrypt(oaepParameters, key, Buffer.from(ciphertext)));
    } catch (error) {
      if (error instanceof DOMException) return undefined;
      throw error;
    }
  };
}

const isOpenSslError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_OSSL_');

/** Whether the bytes are text: UTF-8, not empty, without control characters. */
function isText(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString();
  return text !== '' && !/[^\P{Cc}\t\n\r]|\ufffd/u.test(text);
}

/**
 * Opens PKCS#1 v1.5 ciphertexts of text. **Danger**: this padding proves nothing. OpenSSL answers a ciphertext that is damaged
 * or meant for another key with random bytes (implicit rejection, against padding oracles), of which about one in 350 is
 * text by chance and is returned as if it had been encrypted. It runs in the event loop: there is no asynchronous form.
 */
function pkcs1Opener(privateKey: KeyObject): (ciphertext: Uint8Array) => Promise<Buffer | undefined> {
  const key = { key: privateKey, padding: constants.RSA_PKCS1_PADDING };
  const length = Math.ceil((privateKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  return async (ciphertext) => {
    // RFC 8017 §7.2.2, step 1: OpenSSL takes shorter ones, and answers them with random bytes.
    if (ciphertext.byteLength !== length) return undefined;
    try {
      const plaintext = privateDecrypt(key, ciphertext);
      return isText(plaintext) ? plaintext : undefined;
    } catch (error) {
      if (isOpenSslError(error)) return undefined;
      throw error;
    }
  };
}

/** How a field is encrypted for a key pair. */
export interface KeyCipher {
  readonly id: 'RSAES-OAEP with SHA-1' | 'RSAES-PKCS1-v1_5';
  /** Prepares a private key once; the result opens ciphertexts, or answers undefined. */
  readonly opener: (privateKey: KeyObject) => (ciphertext: Uint8Array) => Promise<Buffer | undefined>;
}

export const oaep: KeyCipher = { id: 'RSAES-OAEP with SHA-1', opener: oaepOpener };

/** **Danger**: see `pkcs1Opener`. */
export const pkcs1: KeyCipher = { id: 'RSAES-PKCS1-v1_5', opener: pkcs1Opener };

/** How many bytes fit into one OAEP-SHA1 block under this key. */
export function oaepCapacity(publicKey: KeyObject): number {
  return (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8 - 2 * 20 - 2;
}

export function sealOaep(publicKey: KeyObject, plaintext: Uint8Array): Buffer {
  return publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, plaintext);
}
