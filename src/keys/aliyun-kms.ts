// Keys of Aliyun KMS: what is asked of it, one row per algorithm, and which keys it has that sign here.
import { createPublicKey } from 'node:crypto';
import { type AliyunReference, textOfAliyunReference } from '../crypto/cloud-reference.ts';
import type { Suite } from '../crypto/suites.ts';
import { PaycertError } from '../errors.ts';
import type { AliyunKms } from '../origins/aliyun/kms.ts';
import { malformed, textOf } from '../origins/content.ts';
import { type Cloud, readPublicHalf } from './cloud-keys.ts';

/** SM2DSA, whose digest is over more than the message, gets its row with the suite that verifies it here. */
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
    return { publicKey: readPublicHalf(() => createPublicKey(text), what), signs: reference };
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
});

/** Before Node reads it, which computes wrong results with such keys. */
const isSm2 = (pem: string): boolean => Buffer.from(pem.replace(/-----[^-]*-----|\s/g, ''), 'base64').includes(sm2);
