// Alipay's content encryption: AES and AES_V2 are AES-128-CBC, with an initialisation vector of zeros or a random one in front.
import { isUtf8 } from 'node:buffer';
import { hash, type KeyObject } from 'node:crypto';
import { openAesCbc, sealAesCbc } from '../../crypto/cipher.ts';
import { PaycertError } from '../../errors.ts';

type Sealing = 'AES' | 'AES_V2';

const blockBytes = 16;
const zeros = Buffer.alloc(blockBytes);

/** @throws PaycertError `request-invalid`: another kind, such as SM4 */
function assertSealing(sealing: string, field: string): asserts sealing is Sealing {
  if (sealing === 'AES' || sealing === 'AES_V2') return;
  throw new PaycertError('request-invalid', `${field} must be AES or AES_V2`, { field });
}

export interface SealWith {
  readonly key: KeyObject | undefined;
  /** Chance is the caller's: a random nonce makes a random vector. */
  readonly nonce: string;
  /** Where the caller says how to seal. */
  readonly field: string;
}

/** @throws PaycertError `request-invalid`, `no-aes-key` */
export function sealContent(content: string | Uint8Array, sealing: string, { key, nonce, field }: SealWith): string {
  assertSealing(sealing, field);
  if (key === undefined) throw new PaycertError('no-aes-key', 'there is no AES key to encrypt with');
  const iv = sealing === 'AES' ? zeros : hash('sha256', nonce, 'buffer').subarray(0, blockBytes);
  const sealed = sealAesCbc(key, iv, Buffer.from(content));
  return (sealing === 'AES' ? sealed : Buffer.concat([iv, sealed])).toString('base64');
}

/**
 * The plaintext, or nothing where this key does not open it. Padding alone proves little: one wrong key in 256 passes. What
 * Alipay encrypts is text, and what a wrong key makes is hardly ever.
 * @throws PaycertError `request-invalid`
 */
export function openContent(ciphertext: string, sealing: string, key: KeyObject): Buffer | undefined {
  assertSealing(sealing, 'algorithm');
  const bytes = Buffer.from(ciphertext, 'base64');
  const head = sealing === 'AES' ? 0 : blockBytes;
  // CBC of nothing is one block of padding.
  if (bytes.byteLength < head + blockBytes || bytes.byteLength % blockBytes !== 0) return undefined;
  const plaintext = openAesCbc(key, head === 0 ? zeros : bytes.subarray(0, head), bytes.subarray(head));
  return plaintext !== undefined && isUtf8(plaintext) ? plaintext : undefined;
}
