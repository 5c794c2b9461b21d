// Specimens of SM2, SM3 and SM4, which are refused whatever their source expects; and impostors, which are nothing of the sort.
import { sm2Certificate, sm2PrivateKey, sm2PublicKey } from '../../support/sm2.ts';
import type { Json } from '../read.ts';
import { apiV3Key, certificate, platform, resource, signed, type Specimen, text } from './material.ts';

const vector =
  (protocol: string) =>
  ([kind, inputs, expected]: Specimen, i: number) => ({
    id: `${protocol}-${i}-${kind}`,
    protocol,
    kind,
    inputs,
    expected,
  });

const cases = [
  { message: 'message', valid: true },
  { message: 'false-message', valid: false },
];
const sealed = { api_v3_key: apiV3Key, nonce: '123456789012', associated_data: 'a' };
const hashes = { sm3: 'from SM3', sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' };

export const shangmiSpecimens: readonly Json[] = [
  ...(
    [
      ['sm2-with-sm3-verify', { certificate: sm2Certificate, signature: 'AAAA', cases }, { valid: [true, false] }],
      ['sm2-key', { private_key: sm2PrivateKey, public_key: sm2PublicKey }, { valid: true }],
      ['aead-sm4-gcm', { ...sealed, ciphertext: 'A'.repeat(40) }, { plaintext: 'plaintext' }],
      ['sm2-field', { ciphertext: 'A'.repeat(40) }, { plaintext: 'plaintext' }],
    ] as const
  ).map(vector('wechat-v3-shangmi')),
  ...([['sm3-hash', { text: 'test' }, hashes]] as const).map(vector('sm')),
];

/** RSA, AES and another SHA-256 in their places. */
export const shangmiImpostors = [
  ...(
    [
      ['sm2-certificate', { certificate: certificate.certificate, signature: signed(platform.privateKey, text) }, {}],
      ['aead-sm4-gcm', { ...resource, api_v3_key: apiV3Key }, { plaintext: text }],
    ] as const
  ).map(vector('wechat-v3-shangmi')),
  ...([['sm3-hash', { text: 'tests' }, hashes]] as const).map(vector('sm')),
];
