// Material that must be rejected: what goes wrong when people copy keys by hand. Each returns the merchant's files only.
import { generateKeyPair, toPkcs8Pem } from './key-pair.ts';
import type { KeyPair } from './key-pair.ts';
import type { Files } from './secret-volume.ts';
import type { WechatpayMaterial } from './wechatpay-material.ts';

const dayInMilliseconds = 86_400_000;

/**
 * Another pair's private key beside the merchant certificate: `key-mismatch`.
 * @example
 * import { withMismatchedPair } from 'paycert/testing';
 *
 * const files = await withMismatchedPair(wechatpay);
 * console.log(files.get('apiclient_cert.pem') === wechatpay.files.get('apiclient_cert.pem')); // → true
 */
export async function withMismatchedPair(material: WechatpayMaterial, keyPair?: KeyPair): Promise<Files> {
  const other = keyPair ?? (await generateKeyPair());
  return new Map(material.files).set('apiclient_key.pem', Buffer.from(toPkcs8Pem(other.privateKey)));
}

/**
 * The merchant's own key with a one-year certificate that ended a day before that time, which is now unless given:
 * `certificate-expired`.
 * @example
 * import { X509Certificate } from 'node:crypto';
 * import { withExpiredCertificate } from 'paycert/testing';
 *
 * const files = await withExpiredCertificate(wechatpay);
 * const { validToDate } = new X509Certificate(files.get('apiclient_cert.pem') ?? '');
 * console.log(validToDate < new Date()); // → true
 */
export async function withExpiredCertificate(
  material: WechatpayMaterial,
  { now = new Date() }: { readonly now?: Date } = {},
): Promise<Files> {
  const expired = await material.authority.issue({
    commonName: material.merchantId,
    keyPair: material.merchant,
    notBefore: new Date(now.getTime() - 366 * dayInMilliseconds),
    notAfter: new Date(now.getTime() - dayInMilliseconds),
  });
  return new Map(material.files).set('apiclient_cert.pem', Buffer.from(expired.certificate));
}

/**
 * One file cut in the middle. Throws `RangeError` if the material has no such file.
 * @example
 * import { withHalfWrittenFile } from 'paycert/testing';
 *
 * const files = withHalfWrittenFile(wechatpay, 'apiv3_key');
 * console.log(files.get('apiv3_key')?.length); // → 16
 */
export function withHalfWrittenFile(material: WechatpayMaterial, name = 'apiclient_key.pem'): Files {
  const whole = material.files.get(name);
  if (whole === undefined) throw new RangeError(`The material has no file ${name}.`);
  return new Map(material.files).set(name, whole.subarray(0, Math.floor(whole.byteLength / 2)));
}
