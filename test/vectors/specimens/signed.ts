// Specimens of what is signed and verified.
import { makeProbe } from '../../../src/testing/wechatpay-message.ts';
import {
  apiV3Key,
  merchant,
  merchantId,
  notification,
  platform,
  published,
  received,
  signed,
  type Specimen,
  text,
  time,
} from './material.ts';

const body = '{"说明":"test"}';
const request = `POST\n/v3/pay?a=%20b\n${time}\nnonce\n${body}\n`;
const signature = signed(merchant.privateKey, request);

export const signedSpecimens: readonly Specimen[] = [
  [
    'rsa-sha256-sign',
    { private_key: 'merchant.pem', message: request },
    { signature, algorithm_name: 'SHA256-RSA2048' },
  ],
  [
    'request-sign',
    {
      private_key: 'merchant_pkcs1.pem',
      method: 'POST',
      url: '/v3/pay?a=%20b',
      timestamp: time,
      nonce: 'nonce',
      body,
      mchid: merchantId,
      serial_no: 'AB01',
    },
    {
      message: request,
      signature,
      authorization: `WECHATPAY2-SHA256-RSA2048 serial_no="AB01",mchid="${merchantId}",timestamp="${time}",nonce_str="nonce",signature="${signature}"`,
    },
  ],
  [
    'rsa-sha256-verify',
    {
      public_key: 'published.pem',
      public_key_id: published.keyId,
      cases: ['good', 'bad'].map((message) => ({ message, signature: signed(published.privateKey, 'good') })),
    },
    { valid: [true, false] },
  ],
  [
    'response-verify',
    { certificate: 'platform.pem', ...received, tampered_body: '{}', wrong_now_unix: 1 },
    { valid: true, tampered: false },
  ],
  [
    'notify-verify-and-decrypt',
    { trusted: { [platform.keyId]: 'platform.pem' }, ...received, api_v3_key: apiV3Key },
    { signature_valid: true, event_type: 'TRANSACTION.SUCCESS', plaintext: text },
  ],
  [
    'signtest-probe',
    { ...received, headers: makeProbe(notification).headers, certificate: 'platform.pem' },
    { valid: false, probe: true },
  ],
  [
    'jsapi-paysign',
    { private_key: 'merchant.pem', appid: 'wx1', timestamp: time, nonce_str: 'n', package: 'prepay_id=p' },
    { paySign: signed(merchant.privateKey, `wx1\n${time}\nn\nprepay_id=p\n`), signType: 'RSA' },
  ],
  [
    'app-paysign',
    { private_key: 'merchant.pem', appid: 'wx1', timestamp: time, noncestr: 'n', prepayid: 'p' },
    { message: `wx1\n${time}\nn\np\n`, sign: signed(merchant.privateKey, `wx1\n${time}\nn\np\n`) },
  ],
  ['response-message', { timestamp: time, nonce: 'n', body: '' }, { message: `${time}\nn\n\n` }],
];
