// Specimens of schemes with a shared secret, and of PSS. Computed with node:crypto alone.
import { constants, createCipheriv, createHash, createHmac, sign } from 'node:crypto';
import { published, type Specimen } from './material.ts';

const secret = 'a secret of some length, at least 32';
const apiV2Key = '192006250b4c09247ec02edce69f6a2d';

const hmac = (hash: string, key: string, text: string) => createHmac(hash, key).update(text);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const md5 = (text: string) => createHash('md5').update(text).digest('hex');

const rpcText = 'GET&%2F&Action%3DA%26b%3D%2521%2520';
const canonical = `GET\n/\na=&b=1%202\nhost:h\nx-acs-a:1,2\n\nhost;x-acs-a\n${sha256('')}`;
const acs3 = hmac('sha256', secret, `ACS3-HMAC-SHA256\n${sha256(canonical)}`).digest('hex');

export const aliyunRpcSpecimens: readonly Specimen[] = [
  ['percent-encode', { value: "a '/" }, { percent_encoded: 'a%20%27%2F' }],
  [
    'hmac-sha1-rpc',
    { method: 'GET', params: { b: '! ', Action: 'A' }, access_key_secret: secret, no_params_case: {} },
    {
      string_to_sign: rpcText,
      canonicalized_query: 'Action=A&b=%21%20',
      signature: hmac('sha1', `${secret}&`, rpcText).digest('base64'),
      no_params: 'GET&%2F&',
    },
  ],
];

export const aliyunAcs3Specimens: readonly Specimen[] = [
  [
    'acs3-hmac-sha256',
    {
      method: 'GET',
      query: { b: '1 2', a: '' },
      headers: [
        ['host', 'h'],
        ['x-acs-A', '2'],
        ['x-acs-a', '1'],
      ],
      body: '',
      access_key_id: 'id',
      access_key_secret: secret,
    },
    {
      canonical_request: canonical,
      hashed_canonical_request: sha256(canonical),
      signature: acs3,
      authorization: `ACS3-HMAC-SHA256 Credential=id,SignedHeaders=host;x-acs-a,Signature=${acs3}`,
    },
  ],
  ['payload-hash', { text: 'test' }, { sha256: sha256('test') }],
];

const parameters = { body: 'test', appid: 'wx1', empty: '', 名: '值' };
const joined = 'appid=wx1&body=test&名=值';
const v2Text = `${joined}&key=${apiV2Key}`;
const v2Md5 = md5(v2Text).toUpperCase();

function refund(): string {
  const cipher = createCipheriv('aes-256-ecb', md5(apiV2Key), null);
  return Buffer.concat([cipher.update('<root><refund_id>1</refund_id></root>'), cipher.final()]).toString('base64');
}

export const wechatV2Specimens: readonly Specimen[] = [
  ['md5-sorted-params', { params: parameters, key: apiV2Key }, { string: v2Text, sign: v2Md5 }],
  [
    'notification-verify',
    {
      key: apiV2Key,
      cases: ['test', 'other'].map((body) => ({
        xml: `<xml><appid>wx1</appid><body><![CDATA[${body}]]></body><sign>${md5(`appid=wx1&body=test&key=${apiV2Key}`)}</sign></xml>`,
      })),
    },
    { valid: [true, false] },
  ],
  [
    'refund-req-info',
    { key: apiV2Key, req_info: refund(), wrong_key: 'x'.repeat(32) },
    { plaintext: '<root><refund_id>1</refund_id></root>', fields: { refund_id: '1' }, wrong_key: 'error' },
  ],
  ['xml-parse', { xml: '<xml><a>&lt;</a><b><![CDATA[<]]></b></xml>' }, { params: { a: '<', b: '<' } }],
  [
    'xml-malformed',
    { cases: [{ xml: '<!DOCTYPE a><xml><a>1</a></xml>' }, { xml: '<xml><a>1</a></xml>' }] },
    { results: ['error', 'ok'] },
  ],
];

const codes = ['hello', 'other'].map((message) => ({
  message,
  tag_hex: hmac('sha256', secret, 'hello').digest('hex'),
}));

export const genericHmacSpecimens: readonly Specimen[] = [
  [
    'hmac-sha256-sorted-params',
    { params: { b: '1 2', a: '' }, key: secret },
    { signature: hmac('sha256', secret, 'a=&b=1 2').digest('hex') },
  ],
  [
    'hmac-sha256-sorted-params',
    { params: parameters, key: apiV2Key, rule: 'sorted, then &key=' },
    { sign: hmac('sha256', apiV2Key, v2Text).digest('hex').toUpperCase() },
  ],
  ['hmac-sha256-verify', { key: secret, cases: codes }, { results: ['valid', 'invalid'] }],
];

const salted = (saltLength: number) =>
  sign('sha256', Buffer.from('hello'), {
    key: published.privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength,
  }).toString('hex');

export const genericPssSpecimens: readonly Specimen[] = [
  [
    'rsa-pss-sha256-salt32-verify',
    { public_key: 'published.pem', cases: [32, 20].map((salt) => ({ message: 'hello', sig_hex: salted(salt) })) },
    { results: ['valid', 'invalid'] },
  ],
];
