// What the gateway double answers to alipay.open.app.alipaycert.download: one of its own certificates, by its SN (protocols 2.3).
import type { AlipayMaterial } from './alipay-material.ts';

type Json = Readonly<Record<string, unknown>>;

/** The members of the response; nothing for another method. It hands out what it signs with, whether or not the application has it. */
export function answerCertificate(
  apiMethod: string,
  { alipay_cert_sn: serial }: Json,
  { alipayKeys }: Pick<AlipayMaterial, 'alipayKeys'>,
): Json | undefined {
  if (apiMethod !== 'alipay.open.app.alipaycert.download') return undefined;
  const found = alipayKeys.find((key) => key.serial === serial);
  if (found === undefined) return { code: '40004', msg: 'Business Failed', sub_code: 'ALIPAY_CERT_NOT_EXIST' };
  return { alipay_cert_content: Buffer.from(found.issued.certificate).toString('base64') };
}
