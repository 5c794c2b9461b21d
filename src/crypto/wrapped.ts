// A value wrapped with a key of ours, AES-256-GCM (NIST SP 800-38D), and the context that it is bound to.
import { createCipheriv, createDecipheriv } from 'node:crypto';

/** What a wrapped value is bound to: opened with the same names and texts, or not at all. */
export type WrappingContext = Readonly<Record<string, string>>;

export const wrappingNonceBytes = 12;

const keyBytes = 32;
const prefix = 'paycert:v1:';
const tagBytes = 16;
const form = /^paycert:v1:[A-Za-z0-9+/]{38,}={0,2}$/;

/** 32 bytes in base64, as `openssl rand -base64 32` writes them; undefined for anything else. */
export function parseWrappingKey(text: string): Uint8Array | undefined {
  const key = Buffer.from(text, 'base64');
  return key.length === keyBytes && key.toString('base64') === text ? key : undefined;
}

/** JSON with its names in order, so that equal contexts are equal bytes; none for none. */
export function contextBytes(context: WrappingContext): Buffer {
  const names = Object.keys(context).sort();
  if (names.length === 0) return Buffer.alloc(0);
  return Buffer.from(JSON.stringify(Object.fromEntries(names.map((name) => [name, context[name]]))));
}

export const isWrappedHere = (text: string): boolean => form.test(text);

/** One line. `nonce`: 12 bytes that were never used with that key. */
export function wrapValue(plaintext: Uint8Array, key: Uint8Array, context: WrappingContext, nonce: Uint8Array): string {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(contextBytes(context));
  const sealed = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return `${prefix}${sealed.toString('base64')}`;
}

/** Undefined where it was wrapped with another key or context, or has been changed. */
export function openValue(text: string, key: Uint8Array, context: WrappingContext): Uint8Array | undefined {
  if (!isWrappedHere(text)) return undefined;
  const sealed = Buffer.from(text.slice(prefix.length), 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, wrappingNonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(contextBytes(context));
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  const plaintext = decipher.update(sealed.subarray(wrappingNonceBytes, -tagBytes));
  try {
    return Buffer.concat([plaintext, decipher.final()]);
  } catch {
    return undefined;
  }
}
