// Keys of AWS KMS: what is asked of it, one row per algorithm, and which keys it has that sign or decrypt here.
import { type AwsReference, textOfAwsReference } from '../crypto/cloud-reference.ts';
import type { Suite } from '../crypto/suites.ts';
import { PaycertError } from '../errors.ts';
import type { AwsKms } from '../origins/aws/kms.ts';
import { malformed, textOf } from '../origins/content.ts';
import type { Cloud } from './cloud-keys.ts';
import { fromSpki, readPublicHalf } from './public-half.ts';
import type { KeyUse } from './signer.ts';

/**
 * SM2DSA, which AWS has in China, gets its row with the suite that verifies it here. PSS has a salt of 256 bits
 * (docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html).
 */
const algorithms: Readonly<Record<Suite['padding']['name'], string>> = {
  pkcs1v15: 'RSASSA_PKCS1_V1_5_SHA_256',
  pss: 'RSASSA_PSS_SHA_256',
};

const uses: Readonly<Record<string, KeyUse>> = { SIGN_VERIFY: 'sign', ENCRYPT_DECRYPT: 'decrypt' };

export const awsKeys = (kms: AwsKms, region: string): Cloud<AwsReference> => ({
  service: 'awskms',
  textOf: textOfAwsReference,
  keep: () => kms.keep(),

  async publicHalf(reference, what, signal) {
    const [, elsewhere] = /^arn:[^:]*:kms:([^:]*):/.exec(reference.key) ?? [];
    if (elsewhere !== undefined && elsewhere !== region)
      throw new PaycertError('key-missing', `${what}: it is in ${elsewhere}, and keyServices.awskms is in ${region}`);
    const found = await kms.ask({ operation: 'GetPublicKey', body: { KeyId: reference.key } }, what, signal);
    const [arn, publicKey] = [textOf(found['KeyId']), textOf(found['PublicKey'])];
    if (arn === undefined || publicKey === undefined) throw malformed(what, 'AWS KMS');
    const use = uses[String(found['KeyUsage'])];
    if (use === undefined)
      throw new PaycertError('key-missing', `${what}: it neither signs nor decrypts (by its KeyUsage)`);
    if (found['KeySpec'] === 'SM2')
      throw new PaycertError('key-missing', `${what}: it signs with SM2DSA, which no scheme of this version verifies`);
    // An alias may be given to another key at any time: this set signs with the key that it was checked with.
    const itself: AwsReference = { service: 'awskms', key: arn };
    return { publicKey: readPublicHalf(() => fromSpki(publicKey), what), itself, use };
  },

  async sign({ key, padding, digest }, what, signal) {
    const body = {
      KeyId: key.key,
      Message: Buffer.from(digest).toString('base64'),
      MessageType: 'DIGEST',
      SigningAlgorithm: algorithms[padding],
    };
    const signature = textOf((await kms.ask({ operation: 'Sign', body }, what, signal))['Signature']);
    if (signature === undefined) throw malformed(what, 'AWS KMS');
    return Buffer.from(signature, 'base64');
  },

  async open({ key }, ciphertext, what, signal) {
    const body = {
      KeyId: key,
      CiphertextBlob: Buffer.from(ciphertext).toString('base64'),
      EncryptionAlgorithm: 'RSAES_OAEP_SHA_1',
    };
    const plaintext = textOf((await kms.ask({ operation: 'Decrypt', body }, what, signal))['Plaintext']);
    if (plaintext === undefined) throw malformed(what, 'AWS KMS');
    return Buffer.from(plaintext, 'base64');
  },
});
