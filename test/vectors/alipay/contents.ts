// Alipay's content encryption: AES and AES_V2 seal and open; everything of SM is refused in words.
import { aesKey } from '../../../src/crypto/cipher.ts';
import { openContent, sealContent } from '../../../src/providers/alipay/content.ts';
import { readParts } from '../../../src/providers/alipay/parts.ts';
import { evaluate } from '../../../src/providers/alipay/rules.ts';
import { PaycertError } from '../../../src/errors.ts';
import type { Situation } from '../situation.ts';
import { chainOf } from './subject.ts';

/** What the product reads of the key as the console shows it. */
function keyOf(situation: Situation) {
  const hex = situation.text('key_hex');
  const text = hex === undefined ? situation.need('key_base64', 'aes_key', 'encrypt_key', 'key') : base64OfHex(hex);
  const { parts, problems } = readParts(new Map([['aes_key', Buffer.from(text)]]));
  const [problem] = problems;
  if (problem !== undefined) throw problem;
  return parts.aesKeys[0]?.[1] ?? aesKey(Buffer.alloc(0));
}

const base64OfHex = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');

export async function checkContent(situation: Situation): Promise<void> {
  const name = situation.text('encrypt_type', 'algorithm', 'type') ?? situation.vector.kind;
  const sealing = /v2|random|prepend/i.test(name) ? 'AES_V2' : 'AES';
  const sealed = situation.expectsText('ciphertext', 'encrypted') ?? situation.need('ciphertext', 'encrypted');
  const plaintext = situation.expectsText('plaintext') ?? situation.text('plaintext', 'content');
  const opened = await situation.run(() => {
    const content = openContent(sealed, sealing, keyOf(situation));
    if (content !== undefined) return content;
    throw new PaycertError('decryption-failed', 'the ciphertext does not open');
  });
  if (opened === undefined || plaintext === undefined) return;
  situation.assert(opened.equals(Buffer.from(plaintext)), 'the plaintext differs');
  const sealWith = { key: keyOf(situation), nonce: situation.vector.id, field: 'type' };
  const again = sealContent(plaintext, sealing, sealWith);
  if (sealing === 'AES') situation.assert(again === sealed, 'the ciphertext differs');
  else
    situation.assert(
      openContent(again, sealing, sealWith.key)?.equals(opened) === true,
      'what is sealed does not open',
    );
}

/** SM4 contents are refused where they are asked for, SM2 certificates and keys where they are loaded. */
export async function checkShangmi(situation: Situation): Promise<void> {
  const sealWith = { key: undefined, nonce: '', field: 'parameters.encrypt_type' };
  situation.assert(
    codeOf(() => sealContent('x', 'SM4', sealWith)) === 'request-invalid',
    'SM4 is not refused as request-invalid',
  );
  const bytes = situation.material('certificate', 'app_certificate', 'alipay_certificate', 'cert');
  if (bytes === undefined) return;
  const parts = {
    ...{ privateKeys: [], appCertificates: [], alipayPublicKeys: [], aesKeys: [] },
    alipayCertificates: [chainOf(bytes)],
  };
  const violations = evaluate(parts, { appId: 'app_of_vectors', mode: 'certificate', gateway: 'production' }).map(
    ({ code }) => code,
  );
  situation.assert(violations.includes('algorithm-unsupported'), 'SM2 is not refused as algorithm-unsupported');
}

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof PaycertError) return error.code;
    throw error;
  }
}
