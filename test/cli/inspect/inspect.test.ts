// What people see of their files, and what they never see.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { listPem, makeList } from '../../support/revocation.ts';
import { createAlipayMaterial } from '../../../src/testing/alipay-material.ts';
import { createSecretVolume } from '../../../src/testing/secret-volume.ts';
import { toPkcs8Pem, toSpkiPem } from '../../../src/testing/key-pair.ts';
import { makePkcs12 } from '../../support/pkcs12.ts';
import { type Ended, paycert } from '../../support/paycert.ts';
import { keyPairs, makeDirectory, makeMaterial, merchantId } from '../../support/sidecar.ts';

interface Finding {
  readonly file: string;
  readonly what: string;
  readonly keyId?: string;
  readonly algorithm?: string;
  readonly notAfter?: string;
  readonly problem?: { readonly code: string; readonly detail: string; readonly hint: string };
}

async function inspectJson(...args: readonly string[]): Promise<Ended & { findings: Finding[] }> {
  const ended = await paycert(['inspect', ...args, '--output', 'json']);
  return { ...ended, ...(JSON.parse(ended.stdout) as { findings: Finding[] }) };
}

async function write(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const directory = await makeDirectory(t);
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return directory;
}

const codes = (findings: readonly Finding[]) => findings.flatMap(({ problem }) => problem?.code ?? []);

describe('paycert inspect', { timeout: 900_000, concurrency: 2 }, () => {
  it('shows every certificate and key of a mounted Secret, and what WeChat Pay calls it', async (t) => {
    const material = await makeMaterial();
    const directory = await makeDirectory(t);
    await createSecretVolume(directory, material.files);
    const { code, stdout } = await paycert(['inspect', directory]);
    assert.equal(code, 0);
    const blocks = stdout.trim().split(/\n(?=\/)/);
    assert.equal(blocks.length, material.files.size);
    const block = (name: string) => blocks.find((one) => one.includes(`/${name}\n`)) ?? '';
    const { serialNumber, notAfter } = material.merchant;
    const certificate = block('apiclient_cert.pem');
    for (const part of [`merchant certificate of ${merchantId}`, serialNumber, 'RSA-2048', '1823', 'Root CA'])
      assert.ok(certificate.includes(part), `${part} in ${certificate}`);
    assert.ok(certificate.includes(notAfter.toISOString().slice(0, 10)));
    assert.match(block('apiclient_key.pem'), /private key .*\n {2}algorithm +RSA-2048/);
    assert.match(block(`wechatpay_${material.platformKeys[0]!.keyId}.pem`), /platform certificate/);
    assert.match(block('apiv3_key'), /APIv3 key [^]*AES-256-GCM/);
  });

  it('shows the SN of Alipay’s certificates, and of its roots together', async (t) => {
    const appId = '2021000000000001';
    const material = await createAlipayMaterial({ appId, now: new Date() });
    const directory = await write(t, Object.fromEntries(material.files));
    const { code, findings } = await inspectJson(directory);
    assert.equal(code, 0);
    const of = (name: string) => findings.find(({ file }) => basename(file).startsWith(name));
    assert.equal(of('appCertPublicKey')?.keyId, material.appSerial);
    assert.match(of('appCertPublicKey')?.what ?? '', new RegExp(`application certificate of ${appId} .*app_cert_sn`));
    assert.equal(of('alipayCertPublicKey')?.keyId, material.alipayKeys[0]!.serial);
    assert.match(of('alipayCertPublicKey')?.what ?? '', /Alipay’s certificate .*alipay_cert_sn/);
    assert.equal(of('alipayRootCert')?.keyId, material.rootSerial);
    assert.match(of('alipayRootCert')?.what ?? '', /1 of 1 count \(alipay_root_cert_sn\)/);
    assert.equal(of('app_private_key')?.what, 'private key (the application’s, of Alipay: app_private_key)');
    assert.match(of('aes_key')?.what ?? '', /AES key/);
    assert.ok(!JSON.stringify(findings).includes(material.aesKey));
  });

  it('says whose a key or secret is by the name of its file, and nothing of what a secret holds', async (t) => {
    const [pair, partner] = await keyPairs();
    const [privateKey, publicKey] = [toPkcs8Pem(pair!.privateKey), toSpkiPem(partner!.publicKey)];
    const files = {
      'apiclient_key.pem': privateKey,
      'private_key.pem': privateKey,
      'tls.key': privateKey,
      'other.pem': privateKey,
      'pub_key.pem': publicKey,
      'public_key.previous.pem': publicKey,
      alipay_public_key: publicKey,
      apiv2_key: 'canary-of-the-v2-key-32-bytes-xx',
      access_key_secret: 'canary-of-the-secret',
      access_key_id: 'LTAI5tExampleExample',
      key: 'canary-of-the-shared-secret-32-by',
      created_at: '2026-03-01T12:00:00Z',
    };
    const directory = await write(t, files);
    const { code, findings, stdout } = await inspectJson(directory);
    assert.equal(code, 0);
    assert.deepEqual(Object.fromEntries(findings.map(({ file, what }) => [basename(file), what])), {
      'apiclient_key.pem': 'private key (merchant API key: apiclient_key.pem)',
      'private_key.pem': 'private key (yours, for RSA-PSS: private_key.pem)',
      'tls.key': 'private key (for TLS: tls.key)',
      'other.pem': 'private key',
      'pub_key.pem': 'public key (WeChat Pay public key: pub_key.pem)',
      'public_key.previous.pem': 'public key (the partner’s, for RSA-PSS: public_key.pem)',
      alipay_public_key: 'public key (Alipay’s: alipay_public_key)',
      apiv2_key: 'APIv2 key (apiv2_key)',
      access_key_secret: 'access key secret of Aliyun (access_key_secret)',
      access_key_id: 'access key id of Aliyun (access_key_id)',
      key: 'secret shared with a partner, for HMAC (key)',
      created_at: 'when the keys were made (created_at)',
    });
    assert.ok(!stdout.includes('canary'));
    const alone = await inspectJson(join(directory, 'key'));
    assert.deepEqual([alone.code, alone.findings.length], [0, 1]);
  });

  it('shows what lies in platform and retired of a mounted Secret', async (t) => {
    const { merchant, platformKeys } = await makeMaterial();
    const retired = `${toPkcs8Pem(merchant.privateKey)}${merchant.certificate}`;
    const directory = await makeDirectory(t);
    await createSecretVolume(
      directory,
      new Map([
        ['platform/first.pem', Buffer.from(platformKeys[0]!.issued!.certificate)],
        ['retired/old.pem', Buffer.from(retired)],
      ]),
    );
    const { code, findings } = await inspectJson(directory);
    assert.equal(code, 0);
    assert.deepEqual(
      findings.map(({ file, what }) => [basename(file), what.split(' (')[0]]),
      [
        ['first.pem', 'platform certificate'],
        ['old.pem', 'private key'],
        ['old.pem', `merchant certificate of ${merchantId}`],
      ],
    );
  });

  it('opens a PKCS#12 file with the merchant id, and asks for it otherwise', async (t) => {
    const material = await makeMaterial();
    const directory = await write(t, { 'apiclient_cert.p12': makePkcs12(material, merchantId) });
    const opened = await inspectJson(directory, '--merchant-id', merchantId);
    assert.equal(opened.code, 0);
    assert.deepEqual(
      opened.findings.map(({ keyId }) => keyId),
      [undefined, material.merchant.serialNumber],
    );
    const closed = await inspectJson(join(directory, 'apiclient_cert.p12'));
    assert.equal(closed.code, 65);
    assert.match(closed.findings[0]?.problem?.detail ?? '', /--merchant-id/);
    const wrong = await inspectJson(directory, '--merchant-id', '1900000999');
    assert.deepEqual(codes(wrong.findings), ['pkcs12-password']);
  });

  it('opens a PKCS#12 file with the password that stands beside it', async (t) => {
    const directory = await write(t, {
      'apiclient_cert.p12': makePkcs12(await makeMaterial(), 'hunter2'),
      'apiclient_cert.p12.password': 'hunter2\n',
    });
    assert.equal((await inspectJson(directory)).code, 0);
  });

  it('shows how long a revocation list counts', async (t) => {
    const list = await makeList(0, ['01']);
    const { code, findings } = await inspectJson(await write(t, { 'ca.crl': listPem(list), 'other.crl': list }));
    assert.equal(code, 0);
    for (const finding of findings) assert.equal(finding.what, 'revocation list');
  });

  it('tells a broken file from the good ones beside it, in the words of what it claims to be', async (t) => {
    const material = await makeMaterial();
    const [pair] = await keyPairs();
    const garbage = Buffer.from('not DER at all, whatever the label says').toString('base64');
    const directory = await write(t, {
      'a-key.pem': toPkcs8Pem(material.merchant.privateKey),
      'b-certificate.pem': `-----BEGIN CERTIFICATE-----\n${garbage}\n-----END CERTIFICATE-----\n`,
      'c-cut.pem': material.merchant.certificate.slice(0, 600),
      'd-public.pem': toSpkiPem(pair!.publicKey),
      'e-empty.pem': '',
    });
    const { code, findings } = await inspectJson(directory);
    assert.equal(code, 65);
    assert.deepEqual(
      findings.map(({ problem, what }) => problem?.code ?? what.split(' (')[0]),
      ['private key', 'certificate-malformed', 'pem-malformed', 'public key', 'part-empty'],
    );
    const { stderr, stdout } = await paycert(['inspect', directory]);
    assert.equal(stderr, '');
    assert.equal(stdout.split('\n').filter((line) => line.startsWith('error: ')).length, 3);
  });

  it('shows what it can when one path does not exist, and ends with exit code 75', async (t) => {
    const directory = await write(t, { 'key.pem': toPkcs8Pem((await keyPairs())[0]!.privateKey) });
    const { code, findings } = await inspectJson(join(directory, 'missing.pem'), join(directory, 'key.pem'));
    assert.equal(code, 75);
    assert.equal(findings[0]?.problem?.code, 'source-unreadable');
    assert.match(findings[1]?.what ?? '', /^private key/);
  });

  it('makes no fuss about other files of the certificate tool’s folder', async (t) => {
    const directory = await write(t, { '证书使用说明.txt': '欢迎使用微信支付', '.hidden': 'x' });
    await mkdir(join(directory, 'nested/deeper/still'), { recursive: true });
    const { code, findings } = await inspectJson(directory);
    assert.equal(code, 0);
    assert.deepEqual(
      findings.map(({ what }) => what),
      ['no key material'],
    );
  });

  it('refuses a pipe instead of waiting for a writer', async (t) => {
    const pipe = join(await makeDirectory(t), 'pipe');
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    assert.deepEqual(codes((await inspectJson(pipe)).findings), ['source-unreadable']);
  });

  it('complains of an APIv3 key of the wrong length', async (t) => {
    const { code, findings } = await inspectJson(await write(t, { apiv3_key: 'x'.repeat(31) }));
    assert.equal(code, 65);
    assert.deepEqual(codes(findings), ['apiv3-key-length']);
  });

  for (const name of ['merchant_serial', 'pub_key_id', 'apiv3_key', 'apiclient_cert.p12.password', 'notes.txt']) {
    it(`never shows a private key that was pasted into ${name}`, async (t) => {
      const pem = toPkcs8Pem((await keyPairs())[0]!.privateKey);
      const directory = await write(t, { [name]: pem });
      const [text, json] = await Promise.all([paycert(['inspect', directory]), inspectJson(directory)]);
      const lines = pem.split('\n').filter((line) => line.length > 20 && !line.startsWith('-----'));
      for (const line of lines) assert.ok(![text.stdout, text.stderr, json.stdout].some((out) => out.includes(line)));
    });
  }
});
