// `inspect` and `validate` never contradict each other: every platform's material, whole and with each of its files spoiled in every way.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findAll } from '../../src/cli/inspect/inspect.ts';
import { evaluate } from '../../src/cli/evaluation.ts';
import type { CredentialConfig } from '../../src/config/schema/credential.ts';
import { buildProvider } from '../../src/running/build.ts';
import { createAlipayMaterial } from '../../src/testing/alipay-material.ts';
import { toPkcs8Pem, toSpkiPem } from '../../src/testing/key-pair.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { withExpiredCertificate, withMismatchedPair } from '../../src/testing/spoiled-material.ts';
import { issue, makeAuthority, pairFiles } from '../support/mtls.ts';
import { makePkcs12 } from '../support/pkcs12.ts';
import { paycert } from '../support/paycert.ts';
import { keyPairs, makeDirectory, makeMaterial, merchantId } from '../support/sidecar.ts';

interface Case {
  readonly provider: CredentialConfig['provider'];
  readonly files: Files;
}

const appId = '2021000000000001';
const now = new Date();

const filesOf = (record: Readonly<Record<string, string | Uint8Array>>): Files =>
  new Map(Object.entries(record).map(([name, content]) => [name, Buffer.from(content)]));

async function makeCases(): Promise<Readonly<Record<string, Case>>> {
  const [wechat, alipay, pairs] = [await makeMaterial(), await createAlipayMaterial({ appId, now }), await keyPairs()];
  const { merchant } = wechat;
  const own = { 'apiclient_key.pem': toPkcs8Pem(merchant.privateKey), 'apiclient_cert.pem': merchant.certificate };
  const withKey = {
    ...Object.fromEntries(wechat.files),
    'pub_key.pem': toSpkiPem(pairs[3]!.publicKey),
    pub_key_id: 'PUB_KEY_ID_01',
  };
  return {
    wechatpay: { provider: { wechatpay: { merchantId } }, files: wechat.files },
    'wechatpay with its public key': { provider: { wechatpay: { merchantId } }, files: filesOf(withKey) },
    'wechatpay as the zip has it': {
      provider: { wechatpay: { merchantId } },
      files: filesOf({ ...own, 'apiclient_cert.p12': makePkcs12(wechat, merchantId), '证书使用说明.txt': '欢迎' }),
    },
    wechatpayV2: {
      provider: { wechatpayV2: { merchantId } },
      files: filesOf({ ...own, apiv2_key: randomBytes(16).toString('hex') }),
    },
    alipay: { provider: { alipay: { appId, mode: 'certificate' } }, files: alipay.files },
    aliyun: {
      provider: { aliyun: {} },
      files: filesOf({
        access_key_id: 'STS.NTExample',
        access_key_secret: randomBytes(24).toString('base64'),
        security_token: randomBytes(24).toString('base64'),
        expiration: new Date(now.getTime() + 36e5).toISOString(),
      }),
    },
    hmac: {
      provider: { hmac: { keyId: 'shop', scheme: 'sorted' } },
      files: filesOf({ key: randomBytes(32).toString('hex') }),
    },
    pss: {
      provider: { pss: { appId: 'shop' } },
      files: filesOf({
        'private_key.pem': toPkcs8Pem(pairs[5]!.privateKey),
        'public_key.pem': toSpkiPem(pairs[6]!.publicKey),
      }),
    },
    mtls: { provider: { mtls: {} }, files: filesOf(pairFiles(await issue(await makeAuthority(), 'shop'))) },
  };
}

/** What people do to a file, whatever it holds. */
const spoilings: Readonly<Record<string, (bytes: Buffer, others: readonly Buffer[]) => Uint8Array>> = {
  emptied: () => Buffer.alloc(0),
  'cut in half': (bytes) => bytes.subarray(0, bytes.byteLength >> 1),
  'in UTF-16': (bytes) => Buffer.from(`\ufeff${bytes.toString()}`, 'utf16le'),
  'base64-encoded once more': (bytes) => Buffer.from(bytes.toString('base64')),
  'in quotes': (bytes) => Buffer.from(`"${bytes.toString()}"`),
  'replaced by another file of the set': (bytes, [other = bytes]) => other,
  'replaced by a sentence': () => Buffer.from('see the wiki for this key'),
};

/** Depends on the configuration, or on a whole: `inspect` has neither. */
const isComparable = ({ code }: { code: string }) =>
  !['material-missing', 'merchant-mismatch', 'app-mismatch'].includes(code);

async function compare(directory: string, { provider, files }: Case): Promise<void> {
  for (const [name, bytes] of files) await writeFile(join(directory, name), bytes);
  const config: CredentialConfig = { name: 'one', provider, source: { files: { path: directory } } };
  const evaluation = await evaluate({ config, older: 'reject' }, () => buildProvider(provider).load(files), now);
  const findings = await findAll([directory], { merchantId, now });
  const [ignored, said] = [new Set(evaluation.ignored), evaluation.violations.filter(isComparable)];
  const problems = findings
    .flatMap(({ file, problem }) =>
      problem && !ignored.has(basename(file)) ? [{ file: basename(file), ...problem }] : [],
    )
    .filter(isComparable);
  assert.deepEqual(
    [...new Set(problems.map(({ code, file }) => `${file === basename(directory) ? '' : file} ${code}`))].sort(),
    [...new Set(said.map(({ code, field = '' }) => `${field} ${code}`))].sort(),
  );
}

describe('inspect and validate', { timeout: 900_000 }, () => {
  let cases: Readonly<Record<string, Case>>;
  before(async () => {
    cases = await makeCases();
  });
  const directories: string[] = [];
  after(() => Promise.all(directories.map((path) => rm(path, { recursive: true }))));
  async function directory(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'paycert-inspect-'));
    directories.push(path);
    return path;
  }

  it('both find nothing wrong with the whole material of each platform', async () => {
    for (const [name, one] of Object.entries(cases)) {
      await compare(await directory(), one);
      const findings = await findAll([directories.at(-1)!], { merchantId: undefined, now });
      assert.deepEqual(
        findings.filter(({ problem }) => problem !== undefined),
        [],
        name,
      );
    }
  });

  for (const [way, spoil] of Object.entries(spoilings))
    it(`say the same of material of which one file was ${way}, for each file of each platform`, async () => {
      for (const [name, { provider, files }] of Object.entries(cases))
        for (const [file, bytes] of files) {
          const others = [...files].filter(([other]) => other !== file).map(([, content]) => Buffer.from(content));
          const spoiled = new Map(files).set(file, spoil(Buffer.from(bytes), others));
          await compare(await directory(), { provider, files: spoiled }).catch((error: unknown) => {
            throw new Error(`${name}: ${file} ${way}`, { cause: error });
          });
        }
    });

  it('say the same of pairs that do not match, of what has expired, and of one’s own key in the place of the other’s', async () => {
    const material = await makeMaterial();
    const [provider, pairs] = [{ wechatpay: { merchantId } }, await keyPairs()];
    const own = toSpkiPem(material.merchant.publicKey);
    const sets: readonly Files[] = [
      await withMismatchedPair(material, pairs[3]),
      await withExpiredCertificate(material, { now }),
      new Map(material.files).set('pub_key.pem', Buffer.from(own)).set('pub_key_id', Buffer.from('PUB_KEY_ID_01')),
      new Map(material.files).set('wechatpay_OWN.pem', Buffer.from(material.merchant.certificate)),
      new Map(material.files).set('merchant_serial', Buffer.from('0123456789ABCDEF')),
    ];
    for (const files of sets) await compare(await directory(), { provider, files });
    const pss = {
      'private_key.pem': toPkcs8Pem(pairs[3]!.privateKey),
      'public_key.pem': toSpkiPem(pairs[3]!.publicKey),
    };
    await compare(await directory(), { provider: { pss: { appId: 'shop' } }, files: filesOf(pss) });
  });
});

describe('inspect', { timeout: 900_000 }, () => {
  it('shows which key belongs to which certificate, in 100 columns', async (t) => {
    const root = await makeDirectory(t);
    const material = await makeMaterial();
    for (const [name, bytes] of material.files) await writeFile(join(root, name), bytes);
    await writeFile(join(root, 'other.pem'), toPkcs8Pem((await keyPairs())[3]!.privateKey));
    const { stdout } = await paycert(['inspect', root]);
    const blocks = new Map(stdout.split(/\n(?=\/)/).map((block) => [basename(block.split('\n', 1).join()), block]));
    assert.match(blocks.get('apiclient_key.pem')!, /pairs with +\S+\/apiclient_cert\.pem/);
    assert.match(blocks.get('apiclient_cert.pem')!, /pairs with +\S+\/apiclient_key\.pem/);
    assert.doesNotMatch(blocks.get('other.pem')!, /pairs with/);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 100, line);
  });

  it('fits 100 columns when something is wrong, too', async (t) => {
    const root = await makeDirectory(t);
    for (const [name, bytes] of await withMismatchedPair(await makeMaterial(), (await keyPairs())[3]))
      await writeFile(join(root, name), bytes);
    const { code, stdout } = await paycert(['inspect', root]);
    assert.equal(code, 65);
    assert.match(stdout, /^error: apiclient_key\.pem does not belong to apiclient_cert\.pem \(key-mismatch\)/m);
    for (const line of stdout.split('\n')) assert.ok(line.length <= 100, line);
  });

  it('opens WeChat’s zip as it is, container and all: the certificate beside it names the password', async (t) => {
    const root = await makeDirectory(t);
    const material = await makeMaterial();
    await writeFile(join(root, 'apiclient_cert.p12'), makePkcs12(material, merchantId));
    await writeFile(join(root, 'apiclient_cert.pem'), material.merchant.certificate);
    await writeFile(join(root, '证书使用说明.txt'), '欢迎使用微信支付');
    const { code, stdout } = await paycert(['inspect', root]);
    assert.deepEqual([code, /apiclient_cert\.p12\n {2}private key/.test(stdout)], [0, true]);
  });

  it('reads standard input, and validate its configuration from there', async () => {
    const { merchant } = await makeMaterial();
    const { code, stdout } = await paycert(['inspect', '-'], { input: merchant.certificate });
    assert.deepEqual([code, stdout.startsWith(`-\n  merchant certificate of ${merchantId}`)], [0, true]);
    const empty = await paycert(['validate', '--config', '-'], { input: 'listen: {}\ncredentials: []\n' });
    assert.equal(empty.code, 78, 'listen names no listener');
    const fit = await paycert(['validate', '-c', '-'], { input: 'listen: { socket: /run/p.sock }\ncredentials: []\n' });
    assert.deepEqual([fit.code, fit.stdout], [0, 'no credentials\n']);
  });

  it('names a request for a certificate, an OpenSSH key and the key tool’s files for what they are', async (t) => {
    const root = await makeDirectory(t);
    const [pair] = await keyPairs();
    const bare = toPkcs8Pem(pair!.privateKey).replace(/-----[^-]+-----|\n/g, '');
    await writeFile(join(root, '应用私钥RSA2048-敏感数据，请妥善保管.txt'), bare);
    await writeFile(join(root, '应用公钥RSA2048.txt'), toSpkiPem(pair!.publicKey).replace(/-----[^-]+-----|\n/g, ''));
    await writeFile(
      join(root, 'shop.csr'),
      '-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n',
    );
    const { stdout } = await paycert(['inspect', root]);
    assert.match(
      stdout,
      /妥善保管\.txt\n {2}private key \(the application’s, of Alipay: app_private_key.*\n(?: .*\n)* {2}pairs with/,
    );
    assert.match(stdout, /应用公钥RSA2048\.txt\n {2}public key \(the application’s: enter it in Alipay’s console\)/);
    assert.match(stdout, /shop\.csr is a request for a certificate \(CSR\)/);
  });

  it('answers -V with the version', async () => {
    assert.match((await paycert(['-V'])).stdout, /^\d+\.\d+\.\d+\n$/);
  });
});
