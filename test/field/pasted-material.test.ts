// Material as editors, tools and people leave it: what happened to it is said, with the command that repairs it.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readCertificates, readPrivateKey, readPublicKey } from '../../src/crypto/containers.ts';
import { saidOfUtf16 } from '../../src/crypto/foreign-forms.ts';
import { PaycertError } from '../../src/errors.ts';
import { parseToken } from '../../src/config/token.ts';
import { makePkcs12 } from '../support/pkcs12.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { saidOfPasted } from '../../src/pasted.ts';
import { alipay } from '../../src/providers/alipay/provider.ts';
import { aliyun } from '../../src/providers/aliyun/provider.ts';
import { hmac } from '../../src/providers/hmac/provider.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { wechatpayV2 } from '../../src/providers/wechatpay-v2/provider.ts';
import { toPkcs8Pem, toSpkiPem } from '../../src/testing/index.ts';
import { filesOf, makeDirectory } from '../support/directories.ts';
import { readToken, readWord } from '../../src/origins/settings.ts';
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
        assert.throws(() => read(text, 'file'), { code: 'format-foreign', message: /UTF-16.*iconv/ });
    });

    it(`that was base64-encoded twice says so, PEM and DER alike: ${what}`, () => {
      for (const text of [base64(pem), base64(base64(derOf(pem)))])
        assert.throws(() => read(text, 'file'), { code: 'format-foreign', message: /encoded twice.*base64 -d/ });
      assert.ok(read(base64(derOf(pem)), 'file'));
    });
  }

  it('in UTF-16 is converted by a command that names its own byte order', () => {
    const little = Buffer.from(pems['a private key'][0], 'utf16le');
    for (const [text, command] of [
      [little, 'iconv -f UTF-16LE -t UTF-8'],
      [Buffer.from(little).swap16(), 'iconv -f UTF-16BE -t UTF-8'],
      [Buffer.from(`\ufeff${pems['a private key'][0]}`, 'utf16le'), 'iconv -f UTF-16 -t UTF-8'],
    ] as const)
      assert.throws(() => readPrivateKey(text, 'file'), { code: 'format-foreign', message: new RegExp(command) });
  });

  it('in another format is named for what it is, and no remedy contradicts that', async () => {
    const der = derOf(pems['a private key'][0]);
    const jwk = JSON.stringify(merchant.privateKey.export({ format: 'jwk' }));
    for (const [bytes, message] of [
      [Buffer.from('504b0304', 'hex'), /is a zip archive/],
      [gzipSync(pems['a private key'][0]), /is compressed with gzip/],
      [makePkcs12(material, merchantId), /is a PKCS#12 container: .*openssl pkcs12/],
      [Buffer.from('feedfeed00000002', 'hex'), /is a Java keystore/],
      [Buffer.from('<!DOCTYPE html><title>Log in</title>'), /is a web page/],
      [Buffer.from(jwk), /is a key in JSON \(JWK\)/],
      [Buffer.from('{"key":"x"}'), /is JSON: write the PEM alone/],
      [Buffer.from('-----BEGIN PGP PRIVATE KEY BLOCK-----\n'), /PGP/],
      [Buffer.from(der.toString('hex')), /is DER in hexadecimal/],
      ...['—————', '–––––', '----', '------', '－－－－－', '———'].map(
        (dashes) =>
          [Buffer.from(pems['a private key'][0].replaceAll('-----', dashes)), /other dashes around BEGIN/] as const,
      ),
    ] as const)
      for (const [, read] of Object.values(pems))
        assert.throws(
          () => read(bytes, 'file'),
          (error) => error instanceof PaycertError && error.code === 'format-foreign' && message.test(error.message) && !/paste/i.test(error.hint), // prettier-ignore
          String(message),
        );
  });

  it('without zeros is no UTF-16, such as a key of random bytes', () => {
    const withoutZero = fc.array(fc.integer({ min: 1, max: 255 })).map((bytes) => Uint8Array.from(bytes));
    fc.assert(fc.property(withoutZero, (bytes) => assert.equal(saidOfUtf16(bytes), undefined)));
    for (const size of [1, 2, 8, 32, 64])
      assert.equal(saidOfUtf16(Buffer.from('\xff\xfe'.padEnd(size, 'a'), 'latin1')), undefined);
  });

  it('in the format of OpenSSH or PuTTY, or a request for a certificate, is named with what converts it', () => {
    for (const [text, message] of [
      ['-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n', /ssh-keygen -p -m PEM/],
      [`ssh-rsa ${'A'.repeat(300)} me@host`, /ssh-keygen -e -m PKCS8/],
      ['PuTTY-User-Key-File-3: ssh-rsa\n', /puttygen/],
      ['-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n', /CSR/],
    ] as const) {
      for (const [, read] of Object.values(pems))
        assert.throws(() => read(Buffer.from(text), 'file'), { code: 'format-foreign', message });
    }
  });
});

describe('a secret', () => {
  it('in UTF-16, in base64 or in hexadecimal is named for that, and its value is in no message', async () => {
    const key = 'x'.repeat(16) + 'Y'.repeat(16);
    const forms: readonly (readonly [Uint8Array, RegExp])[] = [
      [Buffer.from(key, 'utf16le'), /is text in UTF-16 without .+iconv -f UTF-16LE/],
      [Buffer.from(`\ufeff${key}`, 'utf16le'), /is text in UTF-16: .+iconv/],
      [base64(key), /which is neither in base64 nor in hexadecimal/],
      [Buffer.from(Buffer.from(key).toString('hex')), /which is neither in base64 nor in hexadecimal/],
    ];
    for (const [load, part] of [
      [wechatpay({ merchantId }), 'apiv3_key'],
      [wechatpayV2({ merchantId }), 'apiv2_key'],
    ] as const)
      for (const [bytes, said] of forms) {
        const { set } = await load.load(new Map([...material.files, [part, bytes]]));
        const [problem] = set.problems.filter(({ field }) => field === part);
        assert.match(problem?.message ?? '', said);
        assert.doesNotMatch(problem?.message ?? '', /xxxx|eHh4|7878/);
      }
    const id = Buffer.from('PUB_KEY_ID_0123456789', 'utf16le');
    const { set } = await wechatpay({ merchantId }).load(withFiles(material.files, { pub_key_id: id }));
    assert.match(set.problems.find(({ field }) => field === 'pub_key_id')?.message ?? '', /is text in UTF-16/);
    for (const token of [
      Buffer.from('a-token-for-tests', 'utf16le'),
      Buffer.from('\ufeffa-token-for-tests', 'utf16le'),
    ])
      assert.throws(() => parseToken(token.toString()), { message: /the token file is text in UTF-16: .*iconv/ });
  });

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

describe('a secret of one word', () => {
  const issued = 'OtxrzxIsfpFjA7SwPzILwy8Bw21TLh32';
  const base64 = Buffer.alloc(16, 7).toString('base64');
  const places: readonly (readonly [provider: Provider, part: string, genuine: string])[] = [
    [wechatpay({ merchantId }), 'apiv3_key', issued],
    [wechatpay({ merchantId }), 'apiv3_key.previous', issued],
    [wechatpayV2({ merchantId }), 'apiv2_key', issued],
    [alipay({ appId: '2021000000000001', mode: 'key' }), 'aes_key', base64],
    [hmac({ keyId: 'a', scheme: 'sorted' }), 'key', issued],
    [aliyun(), 'access_key_id', 'LTAI5tExample0123456789x'],
    [aliyun(), 'access_key_secret', issued.slice(0, 30)],
    [aliyun(), 'security_token', `CAIS${base64}/+${base64}`],
  ];
  const anywhere: readonly (readonly [words: RegExp, spoil: (genuine: string) => string])[] = [
    [/in quotes/, (text) => `"${text}"`],
    [/in quotes/, (text) => `'${text}',`],
    [/in quotes/, (text) => `‘${text}’`],
    [/is JSON/, (text) => `{"key":"${text}"}`],
    [/its name before it/, (text) => `AccessKeySecret=${text}`],
    [/its name before it/, (text) => `AccessKeyId: ${text}`],
    [/its name before it/, (text) => `export ALIBABA_CLOUD_ACCESS_KEY_ID=${text}`],
    [/its name before it/, (text) => `apiv3_key：${text}`],
    [/its name before it/, (text) => `API_KEY="${text}"`],
    [/a placeholder/, () => '${ACCESS_KEY_ID}'],
    [/a placeholder/, () => '$SECRET'],
    [/a placeholder/, () => '{{ .Values.apiKey }}'],
    [/a placeholder/, () => '<your-access-key-id-of-32-letters>'],
    [/a placeholder/, () => 'your_access_key_secret_of_32_xxx'],
    [/a placeholder/, () => '*'.repeat(32)],
    [/a placeholder/, () => '•'.repeat(32)],
    [/a placeholder/, () => 'null'],
    [/a placeholder/, () => 'undefined'],
    [/a placeholder/, () => 'CHANGE-ME'],
    [/a placeholder/, () => 'vault://secret/payments/wechat-key'],
    [/full-width/, (text) => text.replace(/[A-Za-z]/, 'Ａ')],
    [/full-width/, (text) => `${text}　`.replace(/(.)(.)$/u, '$2$1')],
    [/invisible/, (text) => `${text.slice(0, 3)}\u200b${text.slice(3)}`],
  ];
  const atItsEnds: readonly (readonly [RegExp, (genuine: string) => string])[] = [
    [/punctuation mark/, (text) => `${text},`],
    [/punctuation mark/, (text) => `${text.slice(1)};`],
    [/punctuation mark/, (text) => `${text}。`],
    [/quote at one end/, (text) => `"${text.slice(1)}`],
  ];
  const problemOf = async (provider: Provider, part: string, text: string) =>
    (await provider.load(filesOf({ [part]: text }))).set.problems.filter(({ field }) => field === part);

  for (const [provider, part, genuine] of places)
    it(`loads as it was issued, and is refused with anything around it or in its place: ${part} of ${provider.id}`, async () => {
      assert.deepEqual(await problemOf(provider, part, ` ${genuine}\n`), []);
      for (const [words, spoil] of [...anywhere, ...(part === 'key' ? [] : atItsEnds)]) {
        const text = spoil(genuine);
        const [problem] = await problemOf(provider, part, text);
        assert.match(problem?.message ?? '', words, text);
        assert.ok(!problem!.message.includes(genuine.slice(1, 12)) && !problem!.hint.includes(genuine.slice(1, 12)));
      }
    });

  it('is never refused for its own characters, whatever a platform or a generator has made', () => {
    const letters = fc.stringMatching(/^[0-9A-Za-z]{24,40}$/);
    const encoded = fc
      .uint8Array({ minLength: 16, maxLength: 96 })
      .map((bytes) => Buffer.from(bytes).toString('base64'));
    const url = fc
      .uint8Array({ minLength: 32, maxLength: 64 })
      .map((bytes) => Buffer.from(bytes).toString('base64url'));
    const hex = fc.uint8Array({ minLength: 16, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('hex'));
    fc.assert(
      fc.property(fc.oneof(letters, encoded, url, hex), fc.constantFrom('issued', 'agreed'), (text, origin) => {
        // A mark of base64url at an end is a letter of it.
        assert.equal(saidOfPasted(text, origin), undefined);
      }),
      { numRuns: 2000 },
    );
    for (const text of ['key', 'a=b', 'k:v;', 'p"', 'tokenize='])
      assert.equal(saidOfPasted(text, 'agreed'), undefined, text);
  });

  it('is judged alike in the files with which we log in at a server that keeps keys, and shown nowhere', async (t) => {
    const path = join(await makeDirectory(t), 'secret');
    for (const text of ['"hvs.0123456789"', '${VAULT_TOKEN}', 'VAULT_TOKEN=hvs.0123456789', 'null']) {
      await writeFile(path, `${text}\n`);
      for (const read of [readWord, readToken])
        await assert.rejects(
          () => read('auth.token.tokenFile', path, 'token'),
          (error: PaycertError) => error.code === 'origin-unauthenticated' && !error.message.includes('hvs.'),
        );
    }
    await writeFile(path, 'hvs.0123456789;\n');
    assert.equal(await readWord('auth.token.tokenFile', path, 'token'), 'hvs.0123456789;');
  });

  it('is judged alike as the password of a container that it does not open', async () => {
    const container = { 'apiclient_cert.p12': makePkcs12(material, merchantId) };
    const load = async (password: string) =>
      (await wechatpay({ merchantId }).load(withFiles(new Map(), { ...container, 'apiclient_cert.p12.password': password }))).set.problems; // prettier-ignore
    assert.deepEqual(await load(merchantId), []);
    const [quoted] = await load(`"${merchantId}"`);
    assert.deepEqual([quoted?.code, quoted?.field], ['pkcs12-password', 'apiclient_cert.p12.password']);
    assert.match(quoted!.message, /is in quotes/);
    assert.equal((await load('another'))[0]?.field, 'apiclient_cert.p12');
  });

  it('is judged alike in a token file', () => {
    for (const text of [
      '"0123456789abcdef"',
      '${PAYCERT_TOKEN_OF_SIDECAR}',
      'token=0123456789abcdef',
      '****************',
    ])
      assert.throws(() => parseToken(`${text}\n`), { code: 'token-unusable' });
    assert.equal(parseToken(' 0123456789abcdef;\n'), '0123456789abcdef;');
  });
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

describe('what stands where key material belongs', () => {
  const packed = (head: string) => Buffer.concat([Buffer.from(head, 'hex'), Buffer.alloc(64)]);

  for (const [what, content, said] of [
    ['a file of Ansible Vault', '$ANSIBLE_VAULT;1.1;AES256\n613833\n', /ansible-vault decrypt FILE/],
    ['a value of SOPS', 'ENC[AES256_GCM,data:abc,iv:x,tag:y,type:str]', /sops decrypt/],
    ['a file of SOPS', '{ "data": "ENC[x]", "sops": { "mac": "x" } }', /sops decrypt/],
    ['a file of age', 'age-encryption.org/v1\n-> X25519 abc\n', /age -d FILE/],
    ['armour of age', '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n', /age -d FILE/],
    ['a pointer of Git LFS', 'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 1704\n', /git lfs pull/],
    ['a file of git-crypt', '\0GITCRYPT\0abc', /git-crypt unlock/],
    ['a template of Helm', '{{ .Values.key }}', /placeholder/],
    ['what Go writes for nothing', '<no value>\n', /placeholder/],
    ['a word for nothing', 'null', /placeholder/],
    ['a path', '/etc/keys/apiclient_key.pem\n', /path of a file/],
    ['a path of Windows', 'C:\\keys\\apiclient_key.pem', /path of a file/],
    ['an address', 'https://vault.example/v1/secret', /an address/],
    ['a command that failed', 'cat: apiclient_key.pem: No such file or directory\n', /command that failed/],
    ['an object of Kubernetes', 'apiVersion: v1\nkind: Secret\ndata: {}\n', /base64 -d/],
    ['a text of openssl', 'Certificate:\n    Data:\n        Version: 3 (0x2)\n', /openssl prints with -text/],
    ['a container', '-----BEGIN PKCS7-----\nMIIB\n-----END PKCS7-----\n', /openssl pkcs7/],
    ['a key of .NET', '<RSAKeyValue><Modulus>abc</Modulus></RSAKeyValue>', /ExportPkcs8PrivateKeyPem/],
    ['a PDF', '%PDF-1.4\n', /is a PDF/],
    ...['526172211a07', '377abcaf271c', 'fd377a585a00', '425a6839', '28b52ffd'].map((head) => [`an archive ${head}`, packed(head), /packed archive/] as const),
  ] as const)
    it(`is named, with what gives the material: ${what}`, () => {
      for (const read of [readPrivateKey, readPublicKey, readCertificates])
        assert.throws(() => read(Buffer.from(content as string), 'file'), { code: 'format-foreign', message: said });
    });

  it('is never genuine material, with text of openssl before its PEM either', () => {
    for (const [pem, read] of Object.values(pems)) assert.ok(read(Buffer.from(`Certificate:\n    Data:\n${pem}`), 'file'));
  });
}); // prettier-ignore

describe('a secret that is empty', () => {
  it('is called empty, and not of a wrong length', async () => {
    for (const text of ['', '\n', ' \r\n', '\ufeff']) {
      const [v3] = (await wechatpay({ merchantId }).load(withFiles(material.files, { apiv3_key: text }))).set.problems;
      assert.equal(v3?.message, 'apiv3_key is empty', JSON.stringify(text));
      const [v2] = (await wechatpayV2({ merchantId }).load(filesOf({ apiv2_key: text }))).set.problems;
      assert.equal(v2?.message, 'apiv2_key is empty', JSON.stringify(text));
    }
  });
});

describe('what stands where a secret belongs', () => {
  for (const [text, said] of [
    ['$ANSIBLE_VAULT;1.1;AES256\n6138', /decrypt it first/],
    ['ENC[AES256_GCM,data:abc]', /decrypt it first/],
    ['arn:aws:secretsmanager:cn-north-1:123:secret:pay', /where the value is kept/],
    ['vault:secret/data/pay#apiv3', /where the value is kept/],
    ['@Microsoft.KeyVault(SecretUri=x)', /where the value is kept/],
    ['projects/p/secrets/s/versions/latest', /where the value is kept/],
    ['/etc/keys/apiv3.txt', /path of a file/],
    ['%!s(<nil>)', /placeholder/],
    ['[object Object]', /placeholder/],
    ['(sensitive value)', /placeholder/],
    ['请填写APIv3密钥', /placeholder/],
    ['API密钥', /placeholder/],
    ['APIv3密钥：0123456789abcdef', /its name before it/],
    ['密钥: 0123456789abcdef', /its name before it/],
    ['Bearer 0123456789abcdef', /its name before it/],
  ] as const)
    it(`is named, whoever chose the secret: ${text}`, () => {
      for (const origin of ['issued', 'agreed'] as const) assert.match(saidOfPasted(text, origin) ?? '', said);
    });

  it('is named where a platform issued it: two values, or two lines', () => {
    assert.match(saidOfPasted('LTAI5tExample0123456789x,abc', 'issued') ?? '', /several values/);
    assert.match(saidOfPasted('0123456789abcdef\n0123456789abcdef', 'issued') ?? '', /a blank or a line end/);
    assert.equal(saidOfPasted('correct horse battery staple', 'agreed'), undefined);
  });
});
