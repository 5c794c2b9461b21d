// From the folder that a console gave to a Secret and a configuration that validate: `paycert init`, with the commands that it prints run as they stand.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { createAlipayMaterial } from '../../src/testing/alipay-material.ts';
import { toPkcs8Pem, toSpkiPem } from '../../src/testing/key-pair.ts';
import { makePkcs12 } from '../support/pkcs12.ts';
import { type Ended, mainFile, paycert } from '../support/paycert.ts';
import { issue, makeAuthority, pairFiles } from '../support/mtls.ts';
import { keyPairs, makeDirectory, makeMaterial, merchantId } from '../support/sidecar.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

const appId = '2021000000000001';
const keyToolName = '应用私钥RSA2048-敏感数据，请妥善保管.txt';
const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
const needsKubectl = { skip: hasKubectl ? false : 'kubectl is not installed' };

interface Folder {
  /** The working directory of the command. */
  readonly root: string;
  /** As it is given to the command. */
  readonly name: string;
}

async function folder(t: TestContext, files: Files, name = 'keys'): Promise<Folder> {
  const root = await makeDirectory(t);
  for (const [file, content] of Object.entries(files)) {
    const path = join(root, name, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  return { root, name };
}

/** In the folder's own directory, so that paths and paycert.yaml are what people see. */
function init({ root, name }: Folder, ...args: readonly string[]): Omit<Ended, 'code'> & { code: number | null } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [mainFile, 'init', name, ...args], {
    cwd: root,
    encoding: 'utf8',
    timeout: 900_000,
    killSignal: 'SIGKILL',
  });
  return { code: status, stdout, stderr };
}

/** The commands that it printed, as a shell runs them, but that nothing is created. */
function runPrinted(root: string, stdout: string): readonly Map<string, Buffer>[] {
  return (stdout.match(/^kubectl create secret (?:.*\\\n)*.*$/gm) ?? []).map((command) => {
    const {
      status,
      stdout: made,
      stderr,
    } = spawnSync('bash', ['-c', `${command} --dry-run=client -o yaml`], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.equal(status, 0, `${command}\n${stderr}`);
    const { data } = parse(made) as { data: Record<string, string> };
    return new Map(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
  });
}

/** As kubelet mounts what was created, where the configuration says; then `validate` reads both. */
async function validateMounted(root: string, secrets: readonly Map<string, Buffer>[]): Promise<Ended> {
  const { credentials } = parse(await readFile(join(root, 'paycert.yaml'), 'utf8')) as {
    credentials: { source: { files: { path: string } } }[];
  };
  assert.equal(credentials.length, secrets.length);
  for (const [index, { source }] of credentials.entries()) {
    await mkdir(source.files.path, { recursive: true });
    for (const [key, bytes] of secrets[index]!) await writeFile(join(source.files.path, key), bytes);
  }
  return paycert(['validate', '--config', join(root, 'paycert.yaml')]);
}

async function wechatZip(): Promise<Files> {
  const material = await makeMaterial();
  const { merchant } = material;
  return {
    'apiclient_cert.p12': makePkcs12(material, merchantId),
    'apiclient_cert.pem': merchant.certificate,
    'apiclient_key.pem': toPkcs8Pem(merchant.privateKey),
    '证书使用说明.txt': '欢迎使用微信支付！',
  };
}

async function alipayFolder(): Promise<Files> {
  const { files } = await createAlipayMaterial({ appId, now: new Date() });
  const named = Object.fromEntries(files);
  const { 'app_private_key.txt': key, ...rest } = named;
  return { ...rest, [keyToolName]: key!, '应用公钥RSA2048.txt': toSpkiPem((await keyPairs())[0]!.publicKey) };
}

describe('paycert init', { timeout: 900_000 }, () => {
  it(
    'makes of WeChat’s folder, as the zip has it, a Secret and a configuration that validate',
    needsKubectl,
    async (t) => {
      const at = await folder(t, await wechatZip(), '1900000001_20260101_cert');
      const { code, stdout, stderr } = init(at, '--mount', join(at.root, 'mounted'));
      assert.deepEqual([code, stderr], [0, '']);
      const secrets = runPrinted(at.root, stdout);
      assert.deepEqual(
        secrets.map((secret) => [...secret.keys()].sort()),
        [['apiclient_cert.pem', 'apiclient_key.pem']],
      );
      const validated = await validateMounted(at.root, secrets);
      assert.equal(validated.code, 0, validated.stdout);
      assert.match(validated.stdout, /^wechat-1900000001: valid$/m);
      assert.match(await readFile(join(at.root, 'paycert.yaml'), 'utf8'), /"merchantId": "1900000001"/);
    },
  );

  it('says what is missing and what it is for, and what was left out', async (t) => {
    const { code, stdout } = init(await folder(t, await wechatZip()));
    assert.equal(code, 0);
    assert.match(stdout, /^ {2}cannot verify, decrypt, encrypt$/m);
    assert.match(stdout, /^ {2}add {4}wechatpay_\*\.pem .* pub_key\.pem with pub_key_id/m);
    assert.match(stdout, /^ {2}add {4}apiv3_key /m);
    assert.match(stdout, /^Left out:\n {2}apiclient_cert\.p12: .*\n {2}证书使用说明\.txt: no key material$/m);
  });

  it('takes the platform’s keys and the APIv3 key along, whatever they are called', needsKubectl, async (t) => {
    const { platformKeys, apiV3Key } = await makeMaterial();
    const [platform] = platformKeys;
    const publicKey = (await keyPairs())[3]!.publicKey;
    const at = await folder(t, {
      ...(await wechatZip()),
      'APIv3 Key.txt': apiV3Key,
      '平台证书.pem': platform!.issued!.certificate,
      '微信支付公钥.pem': toSpkiPem(publicKey),
      'id.txt': 'PUB_KEY_ID_0119000000012026010100000000\n',
    });
    const { code, stdout } = init(at, '--mount', join(at.root, 'mounted'), '--name', 'shop');
    assert.equal(code, 0, stdout);
    const secrets = runPrinted(at.root, stdout);
    assert.deepEqual([...secrets[0]!.keys()].sort(), [
      'apiclient_cert.pem',
      'apiclient_key.pem',
      'apiv3_key',
      'pub_key.pem',
      'pub_key_id',
      `wechatpay_${platform!.keyId}.pem`,
    ]);
    const validated = await validateMounted(at.root, secrets);
    assert.match(validated.stdout, /^shop: valid\n {2}can {4}sign, verify, decrypt, encrypt$/m);
  });

  it(
    'opens the container alone with the merchant id that the name of the folder or an option tells',
    needsKubectl,
    async (t) => {
      const { 'apiclient_cert.p12': container } = await wechatZip();
      for (const [name, args] of [
        [`${merchantId}_cert.p12`, []],
        ['apiclient_cert.p12', ['--merchant-id', merchantId]],
      ] as const) {
        const at = await folder(t, { [name]: container! });
        const { code, stdout } = init(at, '--mount', join(at.root, 'mounted'), ...args);
        assert.equal(code, 0, stdout);
        const secrets = runPrinted(at.root, stdout);
        assert.deepEqual([...secrets[0]!.keys()], ['apiclient_cert.p12']);
        assert.equal((await validateMounted(at.root, secrets)).code, 0);
      }
    },
  );

  it(
    'makes of Alipay’s files and those of its key tool a Secret and a configuration that validate',
    needsKubectl,
    async (t) => {
      const at = await folder(t, await alipayFolder());
      const { code, stdout } = init(at, '--mount', join(at.root, 'mounted'));
      assert.equal(code, 0, stdout);
      const secrets = runPrinted(at.root, stdout);
      assert.ok(secrets[0]!.has('app_private_key.txt'));
      assert.ok(![...secrets[0]!.keys()].some((key) => key.includes('应用')));
      const validated = await validateMounted(at.root, secrets);
      assert.match(validated.stdout, new RegExp(`^alipay-${appId}: valid$`, 'm'));
      assert.match(await readFile(join(at.root, 'paycert.yaml'), 'utf8'), /"mode": "certificate"/);
      assert.match(stdout, /^ {2}应用公钥RSA2048\.txt: public key/m);
    },
  );

  it('takes Alipay’s keys without certificates, once it is told the AppID', needsKubectl, async (t) => {
    const [own, platform] = await keyPairs();
    const bare = (pem: string) => pem.replace(/-----[^-]+-----|\n/g, '');
    const at = await folder(t, {
      [keyToolName]: bare(toPkcs8Pem(own!.privateKey)),
      '应用公钥RSA2048.txt': bare(toSpkiPem(own!.publicKey)),
      'alipayPublicKey_RSA2.txt': bare(toSpkiPem(platform!.publicKey)),
    });
    const untold = init(at);
    assert.equal(untold.code, 64);
    assert.match(untold.stderr, /give --app-id/);
    const { code, stdout } = init(at, '--mount', join(at.root, 'mounted'), '--app-id', appId);
    assert.equal(code, 0, stdout);
    const secrets = runPrinted(at.root, stdout);
    assert.deepEqual([...secrets[0]!.keys()].sort(), ['alipayPublicKey_RSA2.txt', 'app_private_key.txt']);
    const validated = await validateMounted(at.root, secrets);
    assert.match(validated.stdout, /valid\n {2}can {4}sign, verify/);
  });

  it(
    'prints commands that any name survives: quotes, blanks, commas, dollars, bytes of another code page',
    needsKubectl,
    async (t) => {
      const { 'apiclient_key.pem': key, 'apiclient_cert.pem': certificate } = await wechatZip();
      for (const odd of ['it\'s "a", key $(reboot) `x`\\ 私钥；新.pem', 'new\nline.pem']) {
        const at = await folder(t, { [odd]: key!, 'cert.pem': certificate! }, 'zip of 2026');
        const { code, stdout } = init(at);
        assert.equal(code, 0, stdout);
        const [secret] = runPrinted(at.root, stdout);
        assert.equal(secret?.get('apiclient_key.pem')?.toString(), key);
      }
      const at = await folder(t, { 'cert.pem': certificate! });
      const gbk = Buffer.concat([Buffer.from(join(at.root, 'keys/')), Buffer.from('cbbdd4bf2e706571', 'hex')]);
      await writeFile(gbk, key!);
      const [secret] = runPrinted(at.root, init(at).stdout);
      assert.deepEqual(secret?.get('apiclient_key.pem')?.toString(), key);
    },
  );

  it('says what kubectl cannot take, instead of a command that fails', async (t) => {
    const { 'apiclient_key.pem': key, 'apiclient_cert.pem': certificate } = await wechatZip();
    const { code, stdout } = init(await folder(t, { 'a=b.pem': key!, 'c.pem': certificate! }));
    assert.equal(code, 0);
    assert.match(stdout, /kubectl takes no path with = in it: copy a=b\.pem/);
    assert.doesNotMatch(stdout, /create secret/);
  });

  it('overwrites nothing, and is content with what it has written itself', async (t) => {
    const at = await folder(t, await wechatZip());
    assert.match(init(at).stdout, /^paycert\.yaml is written\.$/m);
    const again = init(at);
    assert.match(again.stdout, /^paycert\.yaml says so already\.$/m);
    assert.equal(again.code, 0);
    await writeFile(join(at.root, 'paycert.yaml'), '# mine\n');
    const { code, stdout, stderr } = init(at);
    assert.match(stdout, /^kubectl create secret /m);
    assert.deepEqual([code, /paycert\.yaml is there already .* --out/.test(stderr)], [64, true]);
    assert.equal(await readFile(join(at.root, 'paycert.yaml'), 'utf8'), '# mine\n');
    assert.equal(init(at, '--out', 'other.yaml').code, 0);
  });

  it('keeps a pipe that is in the place of paycert.yaml, and does not wait for its writer', async (t) => {
    const at = await folder(t, await wechatZip());
    spawnSync('mkfifo', [join(at.root, 'paycert.yaml')]);
    const { code, stderr } = init(at);
    assert.deepEqual([code, /paycert\.yaml is there already .* --out/.test(stderr)], [64, true], stderr);
  });

  it('writes nothing, and prints no command, for material that a sidecar would reject', async (t) => {
    const files = await wechatZip();
    const other = toPkcs8Pem((await keyPairs())[3]!.privateKey);
    const at = await folder(t, { ...files, 'apiclient_key.pem': other, 'apiclient_cert.p12': 'not one' });
    const { code, stdout } = init(at);
    assert.equal(code, 65);
    assert.match(stdout, /not valid\n {2}error: .*\(key-mismatch\)/);
    assert.doesNotMatch(stdout, /kubectl/);
    assert.deepEqual(await readdir(at.root), ['keys']);
  });

  it('asks which merchant is meant where certificates of several are there', async (t) => {
    const [one, two] = [await makeMaterial(0), await makeMaterial(1, '1900000002')];
    const at = await folder(t, {
      'a.pem': one.merchant.certificate,
      'a.key': toPkcs8Pem(one.merchant.privateKey),
      'b.pem': two.merchant.certificate,
      'b.key': toPkcs8Pem(two.merchant.privateKey),
    });
    const { code, stderr } = init(at);
    assert.deepEqual([code, /1900000001, 1900000002.*--merchant-id/.test(stderr)], [64, true]);
    const chosen = init(at, '--merchant-id', '1900000002');
    assert.equal(chosen.code, 0, chosen.stderr);
    assert.match(chosen.stdout, /apiclient_key\.pem=keys\/b\.key/);
  });

  it('makes one Secret for each platform, each with its own files only', needsKubectl, async (t) => {
    const at = await folder(t, {
      ...(await wechatZip()),
      apiv2_key: 'v'.repeat(32),
      apiv3_key: 'w'.repeat(32),
      access_key_id: 'LTAI5tExampleExample',
      access_key_secret: 'e'.repeat(30),
      ...pairFiles(await issue(await makeAuthority(), 'shop')),
    });
    const { code, stdout } = init(at, '--mount', join(at.root, 'mounted'));
    assert.equal(code, 0, stdout);
    const secrets = runPrinted(at.root, stdout);
    assert.equal(secrets.length, 4);
    const validated = await validateMounted(at.root, secrets);
    assert.equal(validated.code, 0, validated.stdout);
    assert.doesNotMatch(validated.stdout, /unread/);
  });

  it('reads the keys where they are, for a trial on this machine', async (t) => {
    const at = await folder(t, await alipayFolder());
    assert.equal(init(at, '--in-place').code, 0);
    const validated = await paycert(['validate', '--config', join(at.root, 'paycert.yaml')]);
    assert.equal(validated.code, 0, validated.stdout);
  });

  it('shows no secret, whatever file it is in', async (t) => {
    const { apiV3Key } = await makeMaterial();
    const files: Files = { ...(await wechatZip()), apiv3_key: apiV3Key, 'notes.txt': 'canary-of-a-password' };
    const { stdout, stderr } = init(await folder(t, files));
    const lines = String(files['apiclient_key.pem']).split('\n').slice(1, -2);
    for (const secret of [apiV3Key, 'canary', ...lines]) assert.ok(!`${stdout}${stderr}`.includes(secret));
  });

  for (const [args, said] of [
    [['--name', '微信'], /--name: credentials\[0\]\.name/],
    [['--name', 'a b'], /--name: /],
    [['--app-id', `${appId} `], /not of 2021000000000001 : correct --app-id/],
  ] as const)
    it(`writes nothing that validate refuses: ${args.join(' ')}`, async (t) => {
      const at = await folder(t, await alipayFolder());
      const { code, stderr, stdout } = init(at, ...args);
      assert.equal(code, 64);
      assert.match(stderr, said);
      assert.doesNotMatch(stdout, /kubectl/);
      await assert.rejects(stat(join(at.root, 'paycert.yaml')));
    });

  it('writes no merchant id that validate refuses, where no certificate says another', async (t) => {
    const at = await folder(t, {
      'apiclient_key.pem': toPkcs8Pem((await keyPairs())[0]!.privateKey),
      merchant_serial: '5157F09EFDC096DE15EBE81A47057A7232F1B8E1',
    });
    const { code, stderr } = init(at, '--merchant-id', 'wx8888');
    assert.deepEqual([code, /--merchant-id: .*merchantId/.test(stderr)], [64, true], stderr);
    await assert.rejects(stat(join(at.root, 'paycert.yaml')));
  });

  it('says whose certificate is there when another merchant or application is named', async (t) => {
    const { code, stderr } = init(await folder(t, await wechatZip()), '--merchant-id', '1900000009');
    assert.equal(code, 64);
    assert.match(stderr, /of 1900000001, not of 1900000009: correct --merchant-id, or leave it out/);
  });

  it('recognizes names in GBK, and says how to rename what a configuration cannot name', async (t) => {
    const { [keyToolName]: key, '应用公钥RSA2048.txt': publicKey, ...rest } = await alipayFolder();
    const at = await folder(t, rest);
    // 应用私钥RSA2048.txt and 应用公钥RSA2048.txt.
    const gbk = (hex: string) =>
      Buffer.concat([Buffer.from(join(at.root, 'keys/')), Buffer.from(hex, 'hex'), Buffer.from('RSA2048.txt')]);
    await writeFile(gbk('d3a6d3c3cbbdd4bf'), key!);
    await writeFile(gbk('d3a6d3c3b9abd4bf'), publicKey!);
    const made = init(at);
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /from 应用私钥RSA2048\.txt$/m);
    assert.match(made.stdout, /^ {2}应用公钥RSA2048\.txt: public key/m);
    const refused = init(at, '--in-place', '--out', 'other.yaml');
    assert.equal(refused.code, 64);
    const [command] = /mv .*(?= \(usage\))/.exec(refused.stderr) ?? assert.fail(refused.stderr);
    assert.equal(spawnSync('bash', ['-c', command], { cwd: at.root }).status, 0, command);
    assert.equal(init(at, '--in-place', '--out', 'other.yaml').code, 0);
    const inspected = await paycert(['inspect', join(at.root, 'keys')]);
    assert.equal(inspected.code, 0, inspected.stdout);
    assert.match(inspected.stdout, /应用公钥RSA2048\.txt/);
  });

  it('says of a key that stays in a key service that its service is not asked, and not that a key is missing', async (t) => {
    const { files } = await makeMaterial();
    for (const name of ['apiclient_key.pem', 'tls.key']) {
      const at = await folder(t, { ...Object.fromEntries(files), [name]: 'hashivault://shop-pay?version=3\n' });
      const { code, stdout, stderr } = init(at);
      assert.deepEqual([code, stdout], [64, '']);
      assert.match(
        stderr,
        new RegExp(`${name} names a key that stays in a key service.*write paycert.yaml with keyServices`),
      );
    }
  });

  it('says what to do with an archive, a table of the RAM console, a container without its password', async (t) => {
    const { 'apiclient_cert.p12': container } = await wechatZip();
    for (const [files, said] of [
      [{ 'cert.zip': Buffer.from('PK\x03\x04....') }, /cert\.zip is an archive: unpack it/],
      [
        { 'AccessKey.csv': '\uFEFFAccessKey ID,AccessKey Secret\r\nLTAI5tExample,canary' },
        /put what stands below AccessKey ID into a file access_key_id/,
      ],
      [{ 'apiclient_cert.p12': container! }, /apiclient_cert\.p12 needs its password.*give --merchant-id/],
    ] as const) {
      const at = await folder(t, files);
      const { code, stderr } = init(at);
      assert.deepEqual([code, said.test(stderr)], [64, true], stderr);
      assert.doesNotMatch(stderr, /canary/);
      const [file = ''] = Object.keys(files);
      const single = init({ ...at, name: join('keys', file) });
      assert.equal(single.code, 64);
      assert.match(single.stderr, /unpack it|give the directory that it is in/);
    }
  });

  it('says that a folder holds nothing that says whose it is, or is not there', async (t) => {
    const at = await folder(t, { 'README.txt': 'hello' });
    assert.deepEqual([init(at).code, init({ ...at, name: 'nowhere' }).code], [64, 75]);
    await assert.rejects(stat(join(at.root, 'paycert.yaml')));
  });
});
