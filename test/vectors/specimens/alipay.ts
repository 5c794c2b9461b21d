// Specimens of Alipay: serial numbers, chains, answers, notifications, contents, and what v3 signs.
import { createCipheriv } from 'node:crypto';
import {
  createAlipayMaterial,
  makeAlipayNotification,
  makeGatewayResponse,
  makeRestResponse,
  toPkcs8Pem,
  toSpkiPem,
} from '../../../src/testing/index.ts';
import { now, signed, type Specimen } from './material.ts';

const appId = '2021000000000001';
const material = await createAlipayMaterial({ appId, now });
const stranger = await createAlipayMaterial({ appId, now });
const [alipayKey] = material.alipayKeys as [(typeof material.alipayKeys)[0]];

/** What lies beside vectors.json. */
export const alipayFiles: Readonly<Record<string, string>> = {
  'alipay_app.pem': toPkcs8Pem(material.app.privateKey),
  'alipay_app_cert.pem': material.app.certificate,
  'alipay_cert.pem': alipayKey.issued.certificate,
  'alipay_public.pem': toSpkiPem(alipayKey.publicKey),
  'alipay_root.pem': material.authority.certificate,
  'alipay_other_root.pem': stranger.authority.certificate,
};

const certificate = 'alipay_cert.pem';
const content = '{"code":"10000","a":"}"}';
const body = makeGatewayResponse('alipay.trade.query', content, { alipayKey }).toString();
const key = { response_key: 'alipay_trade_query_response' };
const decode = (form: Uint8Array) => Object.fromEntries(new URLSearchParams(Buffer.from(form).toString()));
const notification = (rule: 'V1' | 'V2') =>
  decode(makeAlipayNotification({ alipayKey, rule, parameters: { app_id: appId, subject: 'a+b 手机' } }).body);
const rest = makeRestResponse(Buffer.from('{"a":1}'), { alipayKey, now });
const cipher = createCipheriv('aes-128-cbc', Buffer.from(material.aesKey, 'base64'), Buffer.alloc(16));
const sealed = Buffer.concat([cipher.update('content'), cipher.final()]).toString('base64');
const fields = `app_id=${appId},app_cert_sn=${material.appSerial},nonce=n,timestamp=1700000000000`;
const message = `${fields}\nPOST\n/v3/a?b=c\n{}\ntoken\n`;
const sign = signed(material.app.privateKey, message);
const plain = signed(material.app.privateKey, 'a=1&b=2');

export const gatewaySpecimens: readonly Specimen[] = [
  [
    'cert-sn',
    { app_certificate: 'alipay_app_cert.pem', alipay_certificate: certificate, root: 'alipay_root.pem' },
    {
      app_cert_sn: material.appSerial,
      alipay_cert_sn: alipayKey.serial,
      alipay_root_cert_sn: material.rootSerial,
    },
  ],
  [
    'root-cert-sn',
    { certificates: 'alipay_root.pem' },
    { alipay_root_cert_sn: material.rootSerial, per_certificate: [{ included: true, md5: material.rootSerial }] },
  ],
  ['cert-chain-verify', { certificate, root: 'alipay_root.pem' }, { trusted: true }],
  ['cert-chain-verify', { certificate, root: 'alipay_other_root.pem' }, { valid: false }],
  [
    'public-key-from-cert',
    { certificate },
    { spki_base64: alipayKey.publicKey.export({ type: 'spki', format: 'der' }).toString('base64') },
  ],
  ['sync-response-extract-content', { cases: [{ response_body: body, ...key }] }, { content: [content] }],
  ['sync-response-verify', { response_body: body, ...key, certificate }, { content, valid: true }],
  ['sync-response', { raw: body, ...key, certificate }, { sign_content: content, valid: true }],
  [
    'notify-verify',
    { body: new URLSearchParams(notification('V1')).toString(), certificate },
    { mode: 'V1', valid: true },
  ],
  [
    'sync-response-verify',
    { content, sign: signed(alipayKey.privateKey, content), tampered_sign: 'AAAA', public_key: 'alipay_public.pem' },
    { valid: true, valid_tampered: false },
  ],
  [
    'async-notify-verify',
    { params: notification('V1'), certificate, tampered: { subject: 'x' } },
    {
      string_to_verify: `app_id=${appId}&subject=a+b 手机`,
      mode: 'V1',
      valid: true,
      tampered_valid: false,
    },
  ],
  [
    'notify-verify-keep-sign-type',
    { params: notification('V2'), certificate },
    { valid: true, valid_without_sign_type: false },
  ],
  [
    'request-sign',
    { params: { b: '2', a: '1', c: '' }, private_key: 'alipay_app.pem' },
    { string_to_sign: 'a=1&b=2', sign: plain },
  ],
  ['aes-cbc-zero-iv', { key_base64: material.aesKey, plaintext: 'content' }, { ciphertext: sealed }],
];

export const restSpecimens: readonly Specimen[] = [
  [
    'request-sign',
    {
      auth_string: fields,
      method: 'POST',
      uri: '/v3/a?b=c',
      body: '{}',
      app_auth_token: 'token',
      private_key: 'alipay_app.pem',
    },
    { string_to_sign: message, signature: sign, authorization: `ALIPAY-SHA256withRSA ${fields},sign=${sign}` },
  ],
  [
    'response-verify',
    { headers: rest.headers, body: '{"a":1}', certificate, tampered_body: '{}' },
    { valid: true, tampered: false },
  ],
  [
    'response-verify-rules',
    {
      certificate,
      cases: [
        { status: 400, has_signature: false },
        { status: 200, has_signature: false },
        { status: 200, alipay_sn: null },
        { status: 200, signature_valid: false },
      ],
    },
    { results: ['pass_to_error_handling', 'reject_missing_signature', 'reject_sn_mismatch', 'reject'] },
  ],
];
