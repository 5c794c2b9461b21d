// Material as editors, tools and people leave it: what happened to it is said, with the command that repairs it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCertificates, readPrivateKey, readPublicKey } from '../../src/crypto/containers.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { aliyun } from '../../src/providers/aliyun/provider.ts';
import { hmac } from '../../src/providers/hmac/provider.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { wechatpayV2 } from '../../src/providers/wechatpay-v2/provider.ts';
import { toPkcs8Pem, toSpkiPem } from '../../src/testing/index.ts';
import { filesOf } from '../support/directories.ts';
import { loadFit, makeMaterial, merchantId, problemsOf, withFiles } from '../support/wechatpay.ts';

const material = await makeMaterial();
const { merchant } = material;
const pems = {
  'a certificate': [merchant.certificate, readCertificates],
  'a private key': [toPkcs8Pem(merchant.privateKey), readPrivateKey],
  'a public key': [toSpkiPem(merchant.publicKey), readPublicKey],
} as const;
const base64 = (bytes: string | Uint8Array): Buffer => Buffer.from(Buffer.from(bytes).toString('base64'));
const derOf = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');

describe('key material', () => {
  for (const [what, [pem, read]] of Object.entries(pems)) {
    it(`in UTF-16 says so and how to convert it: ${what}`, () => {
      const little = Buffer.from(pem, 'utf16le');
      const big = Buffer.from(little).swap16();
      for (const text of [
        Buffer.concat([Buffer.from([0xff, 0xfe]), little]),
        Buffer.concat([Buffer.from([0xfe, 0xff]), big]),
        little,
        big,
      ])
        assert.throws(() => read(text, 'file'), { code: 'pem-malformed', message: /UTF-16.*iconv/ });
    });

    it(`that was base64-encoded twice says so, PEM and DER alike: ${what}`, () => {
      for (const text of [base64(pem), base64(base64(derOf(pem)))])
        assert.throws(() => read(text, 'file'), { code: 'pem-malformed', message: /encoded twice.*base64 -d/ });
      assert.ok(read(base64(derOf(pem)), 'file'));
    });
  }

  it('in the format of OpenSSH or PuTTY, or a request for a certificate, is named with what converts it', () => {
    for (const [text, message] of [
      ['-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n', /ssh-keygen -p -m PEM/],
      [`ssh-rsa ${'A'.repeat(300)} me@host`, /ssh-keygen -e -m PKCS8/],
      ['PuTTY-User-Key-File-3: ssh-rsa\n', /puttygen/],
      ['-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n', /CSR/],
    ] as const) {
      for (const [, read] of Object.values(pems))
        assert.throws(() => read(Buffer.from(text), 'file'), { code: 'pem-malformed', message });
    }
  });
});

describe('a secret', () => {
  const secret = 'x'.repeat(32);
  const places: readonly (readonly [
    provider: Provider,
    part: string,
    beside: Readonly<Record<string, string>>,
    code: string,
  ])[] = [
    [wechatpay({ merchantId }), 'apiv3_key', {}, 'apiv3-key-length'],
    [wechatpayV2({ merchantId }), 'apiv2_key', {}, 'apiv2-key-length'],
    [hmac({ keyId: 'a', scheme: 'sorted' }), 'key', {}, 'hmac-key-too-short'],
    [aliyun(), 'access_key_id', { access_key_secret: secret }, 'access-key-malformed'],
    [aliyun(), 'access_key_secret', { access_key_id: 'LTAI5tExample' }, 'access-key-malformed'],
    [aliyun(), 'security_token', { access_key_id: 'LTAI5tExample', access_key_secret: secret }, 'access-key-malformed'],
  ];
  const problems = async (provider: Provider, parts: Readonly<Record<string, string>>) =>
    (await provider.load(filesOf(parts))).set.problems;

  for (const [provider, part, beside, code] of places) {
    it(`in quotes, or as JSON, is refused, and its value is in no message: ${part} of ${provider.id}`, async () => {
      const value = part === 'access_key_id' ? 'LTAI5tExample' : secret;
      for (const text of [
        `"${value}"`,
        `'${value}'`,
        `“${value}”`,
        ` "${value}"\n`,
        `{"AccessKeyId":"${value}"}`,
        `["${value}"]`,
      ]) {
        const found = (await problems(provider, { ...beside, [part]: text })).filter(({ field }) => field === part);
        assert.deepEqual(
          found.map((problem) => problem.code),
          [code],
          text,
        );
        assert.match(found[0]!.message, /is in quotes|is JSON/);
        assert.ok(!found[0]!.message.includes(value));
      }
    });
  }
});

describe('a platform certificate of WeChat Pay', () => {
  const name = 'wechatpay_x.pem';

  it('is not one of an authority, nor of another merchant', async () => {
    const stranger = await material.authority.issue({
      commonName: '1900009999',
      notBefore: new Date('2026-01-01'),
      notAfter: new Date('2027-01-01'),
    });
    for (const certificate of [material.authority.certificate, stranger.certificate])
      assert.deepEqual(await problemsOf(withFiles(material.files, { [name]: certificate })), [
        `platform-certificate-unusable ${name}`,
      ]);
  });

  it('counts beside the authority that issued it, in one file', async () => {
    const [platform] = material.platformKeys;
    const chain = `${platform!.issued!.certificate}${material.authority.certificate}`;
    assert.ok(await loadFit(withFiles(material.files, { [name]: chain })));
  });
});
