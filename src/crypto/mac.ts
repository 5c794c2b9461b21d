// Message authentication with a shared secret: HMAC (RFC 2104), the keyed MD5 of older schemes, comparison in constant time.
import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

/** A shared secret of any length, built once per load. */
export function secretKey(bytes: Uint8Array): KeyObject {
  return createSecretKey(bytes);
}

export function hmac(hash: 'sha1' | 'sha256', key: KeyObject, message: string | Uint8Array): Buffer {
  return createHmac(hash, key).update(message).digest();
}

/** Equal for equal secrets, and for no others: to tell keys apart in memory. It is shown nowhere. */
export const secretId = (key: KeyObject): string => hmac('sha256', key, 'paycert identity of a secret').toString('hex');

/**
 * The bytes of the parts, of which some are secret keys: schemes that write their key into the text they hash have no
 * other way. The copy lives as long as one hash.
 */
function joined(parts: readonly (string | Uint8Array | KeyObject)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part);
      return part instanceof Uint8Array ? part : part.export();
    }),
  );
}

/** MD5 over text that holds its key. Broken as a hash; here only because WeChat Pay v2 demands it. */
export function md5(...parts: readonly (string | Uint8Array | KeyObject)[]): Buffer {
  return createHash('md5').update(joined(parts)).digest();
}

/** HMAC-SHA256 over text that also holds a secret. */
export function hmacSha256Over(key: KeyObject, ...parts: readonly (string | Uint8Array | KeyObject)[]): Buffer {
  return hmac('sha256', key, joined(parts));
}

/** Whether two codes are equal, in a time that tells nothing but their length. */
export function equalCodes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}
