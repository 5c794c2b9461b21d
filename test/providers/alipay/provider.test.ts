// What Alipay's material must be: every wrong pair is refused by its own code, every form that people have loads.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  createAlipayMaterial,
  createAuthority,
  generateKeyPair,
  rotateAlipayApp,
  toPkcs1Pem,
  toPkcs8Pem,
  toSpkiPem,
} from '../../../src/testing/index.ts';
import { appId, load, loadFit, makeMaterial, now, problemsOf } from '../../support/alipay.ts';
import { sm2Certificate, sm2PrivateKey } from '../../support/sm2.ts';
import { withFiles } from '../../support/wechatpay.ts';

const material = await makeMaterial();
const keyed = await makeMaterial({ mode: 'key' });
const sandbox = await makeMaterial({ environment: 'sandbox' });
const { files, app } = material;
const ownName = `appCertPublicKey_${appId}.crt`;
const alipayName = [...files.keys()].find((name) => name.startsWith('alipayCert'))!;
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes!).toString();
const root = text(files.get('alipayRootCert.crt'));
const warningsOf = async (from: typeof files, options: Parameters<typeof load>[1] = {}) =>
  (await loadFit(from, options)).warnings(now).map(({ code, field }) => `${code} ${field!}`);

describe('Alipay material loads', () => {
  const forms = {
    'PKCS#8 in PEM': toPkcs8Pem(app.privateKey),
    'PKCS#1 in bare base64': toPkcs1Pem(app.privateKey).replace(/-----[^-]+-----|\s/g, ''),
    'PKCS#8 in bare base64': toPkcs8Pem(app.privateKey).replace(/-----[^-]+-----|\s/g, ''),
    'PKCS#8 in DER': app.privateKey.export({ type: 'pkcs8', format: 'der' }),
  };
  for (const [form, key] of Object.entries(forms)) {
    it(`with the private key as ${form}, under each of its names`, async () => {
      for (const name of ['app_private_key', 'app_private_key.txt', 'app_private_key.pem'])
        await loadFit(withFiles(files, { 'app_private_key.txt': undefined, [name]: key }));
    });
  }

  it('with the roots after a carriage return, beside text, and beside SM2 and broken ones, which do not count', async () => {
    const broken = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
    const roots = `text\n${sm2Certificate}\n\n${broken}${root.replaceAll('\n', '\r\n')}`;
    const changed = withFiles(files, { 'alipayRootCert.crt': roots });
    const { keys } = await loadFit(changed);
    assert.equal(keys.find(({ role }) => role === 'root')?.keyId, material.rootSerial);
    assert.deepEqual(await warningsOf(changed), ['root-certificate-skipped alipayRootCert.crt']);
    assert.deepEqual(await warningsOf(files), []);
  });

  it('with a renewed application certificate beside the old one, and uses the one that fits the key', async () => {
    const next = await rotateAlipayApp(material, now);
    const both = withFiles(next.files, { 'appCertPublicKey_0.crt': app.certificate });
    assert.equal((await loadFit(both)).keys[0]?.keyId, next.appSerial);
  });

  it('with a certificate in key mode, which does not count there', async () => {
    const { keys } = await loadFit(withFiles(keyed.files, { [ownName]: app.certificate }), { mode: 'key' });
    assert.deepEqual(
      keys.map(({ role }) => role),
      ['merchant', 'public-key', 'aes'],
    );
  });

  it('with roots of production in the sandbox, and warns', async () => {
    const mixed = withFiles(sandbox.files, { 'alipayRootCert.crt': root });
    const warnings = await warningsOf(mixed, { gateway: 'sandbox' });
    assert.ok(warnings.includes('environment-mismatch alipayRootCert.crt'));
  });

  it('with a certificate whose chain leads to none of the roots, and warns', async () => {
    const other = await createAuthority({
      now,
      commonName: 'Ant Financial Certification Authority R1',
      organization: 'Ant Financial',
    });
    const warnings = await warningsOf(withFiles(files, { 'alipayRootCert.crt': other.certificate }));
    assert.deepEqual(warnings, [
      `platform-certificate-untrusted ${ownName}`,
      `platform-certificate-untrusted ${alipayName}`,
    ]);
  });
});

describe('Alipay material is refused', () => {
  const stranger = app.certificate;
  const cases: Readonly<Record<string, readonly [Record<string, string | undefined>, readonly string[]]>> = {
    'without a private key': [{ 'app_private_key.txt': undefined }, ['material-missing app_private_key']],
    'without the application’s certificate': [{ [ownName]: undefined }, ['material-missing appCertPublicKey.crt']],
    'without roots': [{ 'alipayRootCert.crt': undefined }, ['material-missing alipayRootCert.crt']],
    'with a private key that cannot be read': [{ 'app_private_key.txt': '' }, ['part-empty app_private_key.txt']],
    'with two private keys': [
      { 'app_private_key.pem': toPkcs8Pem(keyed.app.privateKey) },
      ['key-mismatch app_private_key.txt', 'key-mismatch app_private_key.pem'],
    ],
    'with a public key for a private one': [
      { 'app_private_key.txt': toSpkiPem(app.publicKey) },
      ['private-key-is-public app_private_key.txt'],
    ],
    'with a private key of another certificate': [
      { 'app_private_key.txt': toPkcs8Pem(keyed.app.privateKey) },
      ['key-mismatch app_private_key.txt'],
    ],
    'with an SM2 key': [
      { 'app_private_key.txt': sm2PrivateKey },
      ['algorithm-unsupported app_private_key.txt', 'key-mismatch app_private_key.txt'],
    ],
    'with its own certificate as Alipay’s': [{ [alipayName]: stranger }, [`platform-key-is-merchant ${alipayName}`]],
    'with roots that RSA did not sign': [
      { 'alipayRootCert.crt': sm2Certificate },
      ['certificate-malformed alipayRootCert.crt'],
    ],
    'with roots that are none': [{ 'alipayRootCert.crt': 'x' }, ['certificate-malformed alipayRootCert.crt']],
    'with an AES key of another length': [
      { aes_key: Buffer.alloc(32).toString('base64') },
      ['aes-key-malformed aes_key'],
    ],
  };
  for (const [what, [changes, expected]] of Object.entries(cases)) {
    it(what, async () => {
      const problems = await problemsOf(withFiles(files, changes));
      assert.ok(problems.length > 0 && problems.every((problem) => expected.includes(problem)), problems.join());
    });
  }

  it('for another AppID, and says when it differs in case or spaces only', async () => {
    const named = await createAlipayMaterial({ appId: 'AppOfLetters01', now });
    for (const [id, words] of [
      ['appofletters01', 'in case or spaces'],
      [' AppOfLetters01', 'in case or spaces'],
      ['2021000000000002', 'another app'],
    ] as const) {
      const [problem] = (await load(named.files, { appId: id })).problems;
      assert.equal(problem?.code, 'app-mismatch');
      assert.ok(problem.message.includes(words) && !problem.message.includes(id), problem.message);
    }
  });

  it('from the other environment, either way', async () => {
    const names = [...sandbox.files.keys()].filter((name) => /Cert/.test(name)).sort();
    const codes = (await problemsOf(sandbox.files)).sort();
    assert.deepEqual(
      codes,
      names.map((name) => `environment-mismatch ${name}`),
    );
    const there = await problemsOf(files, { gateway: 'sandbox' });
    assert.deepEqual(there.sort(), [alipayName, ownName].map((name) => `environment-mismatch ${name}`).sort());
    const mixed = withFiles(files, { 'alipayRootCert.crt': text(sandbox.files.get('alipayRootCert.crt')) });
    assert.deepEqual(await problemsOf(mixed), ['environment-mismatch alipayRootCert.crt']);
  });

  it('in key mode with its own public key as Alipay’s', async () => {
    const own = withFiles(keyed.files, { alipay_public_key: toSpkiPem(keyed.app.publicKey) });
    assert.deepEqual(await problemsOf(own, { mode: 'key' }), ['platform-key-is-merchant alipay_public_key']);
  });

  it('with two keys under one SN', async () => {
    const authority = await createAuthority({
      now,
      commonName: 'Ant Financial Certification Authority R1',
      organization: 'Ant Financial',
    });
    const issue = async () =>
      authority.issue({
        commonName: 'x',
        serialNumber: '0a',
        keyPair: await generateKeyPair(),
        notBefore: now,
        notAfter: new Date('2030-01-01'),
      });
    const [a, b] = [await issue(), await issue()];
    const both = withFiles(files, {
      'alipayCertPublicKey_a.crt': a.certificate,
      'alipayCertPublicKey_b.crt': b.certificate,
    });
    assert.deepEqual(await problemsOf(both), ['serial-conflict alipayCertPublicKey_b.crt']);
  });
});
