// Keys of AWS KMS: what is asked of it, one row per algorithm, and which keys it has that sign here.
import { type AwsReference, textOfAwsReference } from '../crypto/cloud-reference.ts';
import type { Suite } from '../crypto/suites.ts';
import { PaycertError } from '../errors.ts';
import type { AwsKms } from '../origins/aws/kms.ts';
import { malformed, textOf } from '../origins/content.ts';
import { type Cloud, fromSpki, readPublicHalf } from './cloud-keys.ts';

/** SM2DSA, which AWS has in China, gets its row with the suite that verifies it here. */
const algorithms: Readonly<Record<Suite['padding']['name'], string>> = {
  pkcs1v15: 'RSASSA_PKCS1_V1_5_SHA_256',
  pss: 'RSASSA_PSS_SHA_256',
};

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
    const why = whyNot(found['KeyUsage'], found['KeySpec']);
    if (why !== undefined) throw new PaycertError('key-missing', `${what}: ${why}`);
    // An alias may be given to another key at any time: this set signs with the key that it was checked with.
    const signs: AwsReference = { service: 'awskms', key: arn };
    return { publicKey: readPublicHalf(() => fromSpki(publicKey), what), signs };
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
});

function whyNot(usage: unknown, spec: unknown): string | undefined {
  if (usage !== 'SIGN_VERIFY')
    return 'a key of AWS KMS either signs or decrypts, and this one does not sign (its KeyUsage is not SIGN_VERIFY)';
  if (spec === 'SM2') return 'it signs with SM2DSA, which no scheme of this version verifies';
  return undefined;
}
