// Specimens of what is encrypted: resources, certificate lists, fields; and of what must not open.
import { constants, createCipheriv, publicEncrypt, randomBytes } from 'node:crypto';
import { encryptField, encryptResource, formatTime, signMessage } from '../../../src/testing/wechatpay-message.ts';
import type { Json } from '../read.ts';
import { apiV3Key, certificate, merchant, now, platform, resource, type Specimen, text } from './material.ts';

const withPkcs1 = (text: string): string =>
  publicEncrypt({ key: merchant.publicKey, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(text)).toString(
    'base64',
  );

function seal16(): Json {
  const key = randomBytes(8).toString('hex');
  const cipher = createCipheriv('aes-128-gcm', key, '123456789012');
  const sealed = Buffer.concat([cipher.update('old key'), cipher.final(), cipher.getAuthTag()]);
  return {
    key,
    nonce: '123456789012',
    associated_data: '',
    ciphertext: sealed.toString('base64'),
    garbage_ciphertext: 'AAAA',
  };
}

const entry = {
  serial_no: certificate.serialNumber,
  effective_time: formatTime(certificate.notBefore),
  expire_time: formatTime(certificate.notAfter),
  encrypt_certificate: encryptResource(certificate.certificate, { apiV3Key, associatedData: 'certificate' }),
};

function signedResponse(answer: string): Json {
  const { headers } = signMessage(Buffer.from(answer), { platformKey: platform, now });
  return { response_body: answer, headers };
}

export const sealedSpecimens: readonly Specimen[] = [
  [
    'aead-aes-256-gcm',
    { key: apiV3Key, ...resource, wrong_key: 'x'.repeat(32), short_ciphertext: 'AAAA' },
    { plaintext: text },
  ],
  ['aead-decrypt', { api_v3_key: apiV3Key, resource }, { decrypted: text }],
  ['aead-aes-gcm', seal16(), { plaintext: 'old key', garbage: 'error' }],
  ['apiv3-key-length', { cases: [{ key: apiV3Key }, { key: apiV3Key.slice(1) }] }, { valid: [true, false] }],
  [
    'robustness',
    {
      api_v3_key: apiV3Key,
      ciphertext: resource.ciphertext,
      associated_data: 'transaction',
      nonces: ['', 'short', 'x'.repeat(16)],
    },
    { error: true },
  ],
  [
    'robustness-aead',
    {
      api_v3_key: apiV3Key,
      nonce: resource.nonce,
      cases: [{ ciphertext: resource.ciphertext, associated_data: 'transaction' }, { ciphertext: '%%' }],
    },
    { results: ['ok', 'error'] },
  ],
  [
    'platform-certificates-decrypt',
    { ...signedResponse(JSON.stringify({ data: [entry] })), api_v3_key: apiV3Key, wrong_key: 'x'.repeat(32) },
    {
      signature_valid: true,
      serial_no: [entry.serial_no],
      certificate: 'platform.pem',
      effective_time: entry.effective_time,
      expire_time: entry.expire_time,
    },
  ],
  [
    'sensitive-field-rsa-oaep-sha1',
    { private_key: 'merchant.pem', ciphertext: encryptField(merchant.publicKey, '张三') },
    { plaintext: '张三' },
  ],
  [
    'sensitive-field-encrypt',
    { certificate: 'merchant_cert.pem', private_key: 'merchant.pem', plaintext: '李四' },
    { plaintext: '李四', ciphertext_length: 256 },
  ],
  [
    'sensitive-field-rsa-pkcs1v15',
    { private_key: 'merchant.pem', ciphertext: withPkcs1('张三') },
    { plaintext: '张三' },
  ],
];
