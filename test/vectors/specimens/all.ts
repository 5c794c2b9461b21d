// Vectors made on the spot for the runner's own test: one of every family, in the shapes that sources use.
import { X509Certificate } from 'node:crypto';
import forge from 'node-forge';
import type { Json } from '../read.ts';
import { alipayFiles, gatewaySpecimens, restSpecimens } from './alipay.ts';
import { files as wechatFiles, merchant, merchantId, platform, type Specimen } from './material.ts';
import { sealedSpecimens } from './sealed.ts';
import {
  aliyunAcs3Specimens,
  aliyunRpcSpecimens,
  genericHmacSpecimens,
  genericPssSpecimens,
  wechatV2Specimens,
} from './secrets.ts';
import { signedSpecimens } from './signed.ts';

function p12(): string {
  const key = forge.pki.privateKeyFromPem(wechatFiles['merchant_pkcs1.pem']!);
  const asn1 = forge.pkcs12.toPkcs12Asn1(key, forge.pki.certificateFromPem(merchant.certificate), merchantId, {
    algorithm: '3des',
  });
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1').toString('base64');
}

const containerSpecimens: readonly Specimen[] = [
  ['x509-serial-decimal', { certificates: ['platform.pem'] }, { decimal: [BigInt(`0x${platform.keyId}`).toString()] }],
  [
    'x509-serial-validity',
    { certificate: 'platform.pem' },
    {
      serial: platform.keyId,
      not_before: new X509Certificate(wechatFiles['platform.pem']!).validFromDate.toISOString(),
      not_after: new X509Certificate(wechatFiles['platform.pem']!).validToDate.toISOString(),
    },
  ],
  ['x509-serial-normalize', { cases: [{ input: '00:ab:01' }, { input: '0x0AB1' }] }, { normalized: ['AB01', 'AB1'] }],
  ['serial-compare', { a: '00AB', b: 'ab' }, { equal: true }],
  ['serial-compare', { serial: 'AB', other: 'AC' }, { equal: false }],
  [
    'key-pair-match',
    { private_key: 'merchant.pem', certificate: 'merchant_cert.pem', platform: 'platform.pem' },
    { key_matches_certificate: true, key_matches_platform: false },
  ],
  [
    'key-format',
    { private_key: 'merchant.pem', public_key: 'published.pem' },
    { private_format: 'PKCS#8', public_format: 'SPKI', pair_matches: false },
  ],
];

const vector =
  (protocol: string) =>
  ([kind, inputs, expected]: Specimen, i: number): Json => ({
    id: `${protocol}-${i}-${kind}`,
    protocol,
    kind,
    inputs,
    expected,
  });

export const files: Readonly<Record<string, string>> = { ...wechatFiles, ...alipayFiles };

export const specimens: readonly Json[] = [
  ...[...signedSpecimens, ...sealedSpecimens, ...containerSpecimens].map(vector('wechat-v3')),
  ...gatewaySpecimens.map(vector('alipay-v2')),
  ...restSpecimens.map(vector('alipay-v3')),
  ...aliyunRpcSpecimens.map(vector('aliyun-rpc')),
  ...aliyunAcs3Specimens.map(vector('aliyun-acs3')),
  ...wechatV2Specimens.map(vector('wechat-v2')),
  ...genericHmacSpecimens.map(vector('generic-hmac')),
  ...genericPssSpecimens.map(vector('generic-pss')),
  vector('pkcs12')(
    [
      'p12-parse',
      { p12_base64: p12(), password: merchantId, wrong_password: 'x' },
      {
        certificates: [{ subject_cn: merchantId, serial_hex: merchant.serialNumber }],
        private_key_type: 'RSA',
        wrong_password: 'error',
      },
    ],
    0,
  ),
];
