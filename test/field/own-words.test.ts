// A message never assumes another platform: of every platform, every refusal names only what that platform has.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import type { CredentialConfig } from '../../src/config/schema/credential.ts';
import { buildProvider } from '../../src/running/build.ts';
import { operations } from '../../src/server/operations.ts';
import { createAlipayMaterial } from '../../src/testing/alipay-material.ts';
import { toPkcs8Pem, toSpkiPem } from '../../src/testing/key-pair.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { makeMaterial, merchantId, start, startApi } from '../support/api-server.ts';
import { keyPairs } from '../support/key-pairs.ts';
import { filesOf, issue, makeAuthority, pairFiles } from '../support/mtls.ts';

const appId = '2021000000000001';
const [own, partner] = await keyPairs();
const wechat = await makeMaterial();

interface Case {
  readonly provider: CredentialConfig['provider'];
  readonly files: Files;
}

const cases: Readonly<Record<string, Case>> = {
  wechatpay: { provider: { wechatpay: { merchantId } }, files: wechat.files },
  wechatpayV2: {
    provider: { wechatpayV2: { merchantId, appId: 'wx1' } },
    files: filesOf({
      apiv2_key: randomBytes(16).toString('hex'),
      'apiclient_key.pem': toPkcs8Pem(wechat.merchant.privateKey),
      'apiclient_cert.pem': wechat.merchant.certificate,
    }),
  },
  alipay: {
    provider: { alipay: { appId, mode: 'certificate' } },
    files: (await createAlipayMaterial({ appId, now: start })).files,
  },
  aliyun: {
    provider: { aliyun: {} },
    files: filesOf({ access_key_id: 'LTAI5tExample', access_key_secret: 's'.repeat(30) }),
  },
  hmac: { provider: { hmac: { keyId: 'shop-1', scheme: 'sorted' } }, files: filesOf({ key: 'k'.repeat(32) }) },
  pss: {
    provider: { pss: { appId: 'shop-1' } },
    files: filesOf({ 'private_key.pem': toPkcs8Pem(own!.privateKey), 'public_key.pem': toSpkiPem(partner!.publicKey) }),
  },
  mtls: { provider: { mtls: {} }, files: filesOf(pairFiles(await issue(await makeAuthority(), 'shop'))) },
};

/** Words, and the platforms that have what they name. */
const words: readonly (readonly [RegExp, readonly string[]])[] = [
  [/WeChat/i, ['wechatpay', 'wechatpayV2']],
  [/apiv3|PUB_KEY_ID/i, ['wechatpay']],
  [/apiv2|XML/i, ['wechatpayV2']],
  [/merchant|apiclient/i, ['wechatpay', 'wechatpayV2']],
  [/Alipay|sandbox|alipay_|AES key|aes_key/i, ['alipay']],
  [/appId|app_id/, ['wechatpay', 'alipay', 'wechatpayV2', 'pss', 'hmac']],
  [/Aliyun|access key|access_key|x-acs|SendSms/i, ['aliyun']],
  [/console/i, ['wechatpay', 'wechatpayV2', 'alipay', 'aliyun']],
  [/partner/i, ['hmac', 'pss']],
  // Of a partner, too, a certificate may have been pasted where its public key belongs.
  [/certificate/i, ['wechatpay', 'wechatpayV2', 'alipay', 'mtls', 'pss']],
  [/public (?:key|half)/i, ['wechatpay', 'alipay', 'pss', 'wechatpayV2', 'mtls']],
  [/private key|RSA/i, ['wechatpay', 'alipay', 'pss', 'wechatpayV2', 'mtls']],
  [/\bTLS\b|handshake|tls\.(?:crt|key)|P-256/, ['mtls', 'wechatpayV2']],
  [/\bplatform\b/i, ['wechatpay', 'wechatpayV2', 'alipay', 'aliyun']],
  [/header/i, ['wechatpay', 'alipay', 'aliyun', 'pss', 'hmac']],
];

/** Of the shape that all share: it lists the members that there are, and repeats those that were given. Or about another platform indeed. */
const isShared = (detail: string): boolean => /is not a field here|is not accepted|it is a message of/.test(detail);

const garbage = 'x'.repeat(40);
const headers = {
  'Wechatpay-Timestamp': String(start.getTime() / 1000),
  'Wechatpay-Nonce': 'n',
  'Wechatpay-Signature': garbage,
  'Wechatpay-Serial': 'A'.repeat(40),
  'alipay-timestamp': String(start.getTime()),
  'alipay-nonce': 'n',
  'alipay-signature': garbage,
  'alipay-sn': 'a'.repeat(32),
  'x-signature': garbage,
  'x-ts': String(start.getTime() / 1000),
  'x-nonce': 'n'.repeat(16),
  host: 'shop.example',
};
const bodies = [
  '',
  '{}',
  '{"a":1}',
  'a=1&b=2',
  'sign=x&app_id=1',
  '<xml><a>1</a></xml>',
  '<xml><sign>x</sign></xml>',
  'not a body',
];
const heads = [
  undefined,
  {},
  { a: 'b' },
  headers,
  { ...headers, 'Wechatpay-Timestamp': '1', 'alipay-timestamp': '1', 'x-ts': '1' },
];
const signedForm = `app_id=shop-1&timestamp=${String(start.getTime() / 1000)}&nonce=${'n'.repeat(16)}&signature=${'0'.repeat(64)}`;

const received = ['response', 'notification', 'return'].flatMap((kind) =>
  heads.flatMap((head) =>
    [...bodies, signedForm].flatMap((body) =>
      [
        {},
        { url: 'https://a.example/v3/x?sign=x', method: 'POST' },
        { apiMethod: 'alipay.trade.query' },
        { status: 500 },
      ].map((more) => ({
        kind,
        ...(head && { headers: head }),
        body,
        ...more,
      })),
    ),
  ),
);

const inputs: Readonly<Record<string, readonly object[]>> = {
  authorize: [
    {},
    { method: 'GET' },
    { method: 'GET', url: '/v3/x' },
    { method: 'POST', url: 'https://a.example/', body: '{' },
    { method: 'POST', url: 'https://a.example/', headers: { 'x-acs-action': 'A' } },
    { apiMethod: 'a.b', bizContent: '{', parameters: { sign: 'x' } },
    { apiMethod: 'a.b', bizContent: '{}', parameters: { a: '1' }, appAuthToken: 't' },
    { parameters: { '': 'x' } },
    { url: 'x y' },
    { encryptionKeyId: 'A1', method: 'POST', url: '/v3/x' },
    { nonce: 'a b' },
    { nonce: '0'.repeat(64), method: 'GET', url: '/v3/x' },
  ],
  sign: [{}, { message: 'x', messageBase64: 'eA==' }, { messageBase64: 'x' }],
  verify: [
    {},
    ...received,
    { message: 'x', signature: garbage, keyId: 'unknown' },
    { message: 'x', signature: garbage, keyId: 'shop-1' },
    { message: 'x' },
  ],
  notification: received.map(({ kind: _, ...rest }) => rest),
  decrypt: [
    { ciphertext: 'x' },
    { ciphertext: 'eHh4' },
    {
      ciphertext: 'eHh4eHh4eHh4eHh4eHh4eHh4',
      algorithm: 'AEAD_AES_256_GCM',
      nonce: 'n'.repeat(12),
      associatedData: '',
    },
    { ciphertext: 'eHh4eHh4eHh4eHh4eHh4eA==', algorithm: 'AES' },
    { ciphertext: 'eHh4', algorithm: 'ROT13' },
  ],
  encrypt: [{}, { plaintext: 'x'.repeat(1000) }, { plaintext: 'x', keyId: 'A1' }],
  'payment-parameters': [
    {},
    { type: 'jsapi' },
    { type: 'app', appId: 'wx1', prepayId: 'p', signType: 'MD5' },
    { type: 'jsapi', appId: 'wx1', prepayId: 'p', apiMethod: 'a.b' },
    { apiMethod: 'a.b', bizContent: '{' },
  ],
};

/** What people do to a part. */
const spoiled = (others: Files): readonly Uint8Array[] => [
  ...['', 'a sentence', '"quoted"', '{"a":1}', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'].map(
    (text) => Buffer.from(text),
  ),
  Buffer.from('-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n'),
  Buffer.from('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'),
  Buffer.from(toSpkiPem(partner!.publicKey)),
  Buffer.from(toPkcs8Pem(partner!.privateKey)),
  Buffer.from(wechat.merchant.certificate),
  ...others.values(),
];

const foreignIn = (text: string, id: string, allowed: readonly RegExp[] = []): readonly string[] =>
  words.flatMap(([word, platforms]) =>
    word.test(text) && !platforms.includes(id) && !allowed.some((one) => String(one) === String(word))
      ? [String(word)]
      : [],
  );

/** mTLS has no operation. */
const signing = Object.entries(cases).filter(([id]) => id !== 'mtls');
const api = await startApi(
  Object.fromEntries(
    signing.map(([id, { provider, files }]) => [id, { files, provider: buildProvider(provider), requires: [] }]),
  ),
);
after(() => api[Symbol.asyncDispose]());

const namesHolder: ReadonlySet<string> = new Set(['certificate-misplaced', 'platform-certificate-unusable']);

for (const [id, { provider, files }] of Object.entries(cases))
  describe(`of ${id}`, { timeout: 900_000 }, () => {
    for (const { name } of id === 'mtls' ? [] : operations)
      it(`no refusal of ${name} names what it does not have`, async () => {
        const found = new Set<string>();
        for (const input of inputs[name] ?? []) {
          const path = `/v1/credentials/${id}/${name}`;
          const { status, text } = await api.call({
            path,
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify(input),
          });
          if (status === 200) continue;
          const { title, detail, hint } = JSON.parse(text) as Record<'title' | 'detail' | 'hint', string>;
          if (isShared(detail)) continue;
          for (const word of foreignIn(`${detail} ${hint}`, id)) found.add(`${word} ${title}: ${detail} — ${hint}`);
        }
        assert.deepEqual([...found], []);
      });

    it('no verdict on its material names what it does not have', async () => {
      const found = new Set<string>();
      const load = async (changed: Files) => {
        const { set } = await buildProvider(provider).load(changed);
        for (const { code, message, hint, field = '' } of [...set.problems, ...set.warnings(start)])
          // It says whose certificate is there, which may be another platform's; what to do about it names none.
          for (const word of foreignIn((namesHolder.has(code) ? hint : `${message} ${hint}`).replaceAll(field, ''), id))
            found.add(`${word} ${code}: ${message} — ${hint}`);
      };
      for (const name of files.keys()) {
        await load(new Map([...files].filter(([other]) => other !== name)));
        for (const bytes of spoiled(files)) await load(new Map([...files, [name, bytes]]));
      }
      assert.deepEqual([...found], []);
    });
  });
