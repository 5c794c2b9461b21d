// Keys of Aliyun KMS: what is asked of it, one row per algorithm, and which keys it has that sign or decrypt here.
import { createPublicKey } from 'node:crypto';
import { type AliyunReference, textOfAliyunReference } from '../crypto/cloud-reference.ts';
import type { Suite } from '../crypto/suites.ts';
import { PaycertError } from '../errors.ts';
import type { AliyunKms } from '../origins/aliyun/kms.ts';
import { malformed, textOf, within } from '../origins/content.ts';
import type { Cloud } from './cloud-keys.ts';
import { readPublicHalf } from './public-half.ts';
import type { KeyUse } from './signer.ts';

/**
 * SM2DSA, whose digest is over more than the message, gets its row with the suite that verifies it here. The salt of PSS is as long as
 * the hash: Aliyun's command to verify it says `rsa_pss_saltlen:-1` (help.aliyun.com/document_detail/148146.html).
 */
const algorithms: Readonly<Record<Suite['padding']['name'], string>> = {
  pkcs1v15: 'RSA_PKCS1_SHA_256',
  pss: 'RSA_PSS_SHA_256',
};

/** The curve of SM2 (GB/T 32918.5), as an object identifier in DER. */
const sm2 = Buffer.from('06082a811ccf5501822d', 'hex');

export const aliyunKeys = (kms: AliyunKms): Cloud<AliyunReference> => ({
  service: 'aliyunkms',
  textOf: textOfAliyunReference,
  keep: () => kms.keep(),

  async publicHalf(reference, what, signal) {
    const parameters = { KeyId: reference.key, KeyVersionId: reference.version };
    const text = textOf((await kms.ask({ action: 'GetPublicKey', parameters }, what, signal))['PublicKey']);
    if (text === undefined) throw malformed(what, 'Aliyun KMS');
    if (isSm2(text)) throw new PaycertError('key-missing', `${what}: it signs with SM2DSA, which no scheme of this version verifies`); // prettier-ignore
    const use = await useOf(kms, reference, signal);
    return { publicKey: readPublicHalf(() => createPublicKey(text), what), itself: reference, use };
  },

  async sign({ key, padding, digest }, what, signal) {
    const parameters = {
      KeyId: key.key,
      KeyVersionId: key.version,
      Algorithm: algorithms[padding],
      Digest: Buffer.from(digest).toString('base64'),
    };
    const { KeyVersionId: version, Value: value } = await kms.ask(
      { action: 'AsymmetricSign', parameters },
      what,
      signal,
    );
    if (typeof value !== 'string' || version !== key.version) throw malformed(what, 'Aliyun KMS');
    return Buffer.from(value, 'base64');
  },

  async open({ key, version }, ciphertext, what, signal) {
    const parameters = {
      KeyId: key,
      KeyVersionId: version,
      Algorithm: 'RSAES_OAEP_SHA_1',
      CiphertextBlob: Buffer.from(ciphertext).toString('base64'),
    };
    const found = await kms.ask({ action: 'AsymmetricDecrypt', parameters }, what, signal);
    const plaintext = textOf(found['Plaintext']);
    if (plaintext === undefined || found['KeyVersionId'] !== version) throw malformed(what, 'Aliyun KMS');
    return Buffer.from(plaintext, 'base64');
  },
});

/** Its public half does not say it. Who may not ask has a key that signs: no other policy is needed for that. */
async function useOf(kms: AliyunKms, { key }: AliyunReference, signal: AbortSignal): Promise<KeyUse> {
  try {
    const what = `read what ${key} of Aliyun KMS is made for`;
    const found = await kms.ask({ action: 'DescribeKey', parameters: { KeyId: key } }, what, signal);
    return within(found, 'KeyMetadata')['KeyUsage'] === 'ENCRYPT/DECRYPT' ? 'decrypt' : 'sign';
  } catch (error) {
    if (error instanceof PaycertError && error.code === 'origin-forbidden') return 'sign';
    throw error;
  }
}

/** Before Node reads it, which computes wrong results with such keys. */
const isSm2 = (pem: string): boolean => Buffer.from(pem.replace(/-----[^-]*-----|\s/g, ''), 'base64').includes(sm2);
