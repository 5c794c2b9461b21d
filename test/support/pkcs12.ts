// apiclient_cert.p12, as the merchant platform hands it out.
import forge from 'node-forge';
import type { WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';

/** Key and certificate of the merchant under 3DES, which OpenSSL 3 refuses. */
export function makePkcs12({ merchant }: WechatpayMaterial, password: string): Buffer {
  const key = forge.pki.privateKeyFromPem(merchant.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString());
  const asn1 = forge.pkcs12.toPkcs12Asn1(key, [forge.pki.certificateFromPem(merchant.certificate)], password, {
    algorithm: '3des',
  });
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');
}
