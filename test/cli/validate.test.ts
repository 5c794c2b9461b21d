// The very checks of a swap, offline: every violation, each with its remedy, and an exit code.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { errorTable } from '../../src/errors.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { createWechatpayMaterial, rotateMerchant } from '../../src/testing/index.ts';
import { withExpiredCertificate, withMismatchedPair } from '../../src/testing/spoiled-material.ts';
import { paycert } from '../support/paycert.ts';
import {
  configuration,
  credential,
  keyPairs,
  makeDirectory,
  makeMaterial,
  merchantId,
  token,
} from '../support/sidecar.ts';
import { hasScript, onTerminal } from '../support/terminal.ts';

interface Notice {
  readonly code: keyof typeof errorTable;
  readonly detail: string;
  readonly hint: string;
}
interface Report {
  readonly valid: boolean;
  readonly error?: Notice;
  readonly credentials: {
    name: string;
    valid: boolean;
    deferredUntil?: string;
    violations: Notice[];
    warnings: Notice[];
    ignored: string[];
  }[];
}

/** A configuration with one credential for each of the materials. */
async function write(t: TestContext, materials: Readonly<Record<string, Files>>): Promise<string> {
  const directory = await makeDirectory(t);
  const credentials = Object.keys(materials).map((name) => credential({ name, path: join(directory, name) }));
  for (const [name, files] of Object.entries(materials)) await writeFiles(join(directory, name), files);
  await writeFile(join(directory, 'token'), token);
  await writeFile(join(directory, 'paycert.yaml'), configuration(directory, credentials));
  return join(directory, 'paycert.yaml');
}

async function writeFiles(directory: string, files: Iterable<readonly [string, Uint8Array]>): Promise<string> {
  await mkdir(directory);
  for (const [file, bytes] of files) await writeFile(join(directory, file), bytes);
  return directory;
}

async function validateJson(config: string): Promise<{ code: number | null; report: Report; stderr: string }> {
  const { code, stdout, stderr } = await paycert(['validate', '--config', config, '--output', 'json']);
  return { code, stderr, report: JSON.parse(stdout) as Report };
}

const codes = (report: Report, index = 0) => report.credentials[index]?.violations.map(({ code }) => code);

describe('paycert validate', { timeout: 900_000, concurrency: 2 }, () => {
  it('says that fit material is valid, with exit code 0', async (t) => {
    const config = await write(t, { one: (await makeMaterial()).files, two: (await makeMaterial(1)).files });
    const { code, stdout, stderr } = await paycert(['validate', '-c', config]);
    assert.deepEqual(
      [code, stdout, stderr],
      [0, ['one', 'two'].map((name) => `${name}: valid\n  can    sign, verify, decrypt, encrypt\n`).join(''), ''],
    );
  });

  it('says what material without a platform key cannot do, and which key ends within 30 days', async (t) => {
    const now = new Date();
    const { files } = await createWechatpayMaterial({
      merchantId,
      now: new Date(now.getTime() - 5 * 365 * 86_400_000 + 20 * 86_400_000),
    });
    const own = new Map([...files].filter(([name]) => !name.startsWith('wechatpay_')));
    const { code, stdout, stderr } = await paycert(['validate', '-c', await write(t, { own })]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^ {2}can {4}sign, decrypt\n {2}cannot verify, encrypt\n {2}add {4}wechatpay_\*\.pem /m);
    assert.match(stdout, /^ {2}ends {3}merchant [0-9A-F]+ on \d{4}-\d\d-\d\d, in \d+ days$/m);
  });

  it('names the files that count for nothing, whatever the platform', async (t) => {
    const { files } = await makeMaterial();
    const more = new Map([...files, ['证书使用说明.txt', Buffer.from('x')], ['apiv3-key', Buffer.from('x')]]);
    const config = await write(t, { one: more, two: files });
    const { stdout } = await paycert(['validate', '-c', config]);
    assert.match(stdout, /^one: valid\n.*\n {2}unread apiv3-key, 证书使用说明\.txt /m);
    assert.deepEqual(
      (await validateJson(config)).report.credentials.map(({ ignored }) => ignored),
      [['apiv3-key', '证书使用说明.txt'], []],
    );
  });

  it('says until when good material that is not valid yet is deferred, with exit code 75', async (t) => {
    const material = await makeMaterial();
    const now = new Date(Date.now() + 3 * 86_400_000);
    const next = await rotateMerchant(material, { now, keyPair: (await keyPairs())[3]! });
    const config = await write(t, { now: material.files, next: next.files });
    const { code, report } = await validateJson(config);
    assert.equal(code, 75);
    const [fit, early] = report.credentials;
    assert.deepEqual([fit?.valid, fit?.deferredUntil, early?.valid], [true, undefined, false]);
    const until = early?.deferredUntil ?? '';
    assert.equal(Math.floor(now.getTime() / 1000) * 1000 - Date.parse(until), 86_400_000);
    const { stdout } = await paycert(['validate', '-c', config]);
    assert.match(stdout, new RegExp(`^next: deferred until ${until}\n {2}later: .*certificate-not-yet-valid`, 'm'));
    assert.match(stdout, /^now: valid$/m);
  });

  it('is not deferred with exit code 75 if another credential is not fit', async (t) => {
    const material = await makeMaterial();
    const [, , , keyPair] = await keyPairs();
    const next = await rotateMerchant(material, { now: new Date(Date.now() + 3 * 86_400_000), keyPair: keyPair! });
    const bad = await withMismatchedPair(material, keyPair);
    assert.equal((await paycert(['validate', '-c', await write(t, { next: next.files, bad })])).code, 65);
  });

  it('names every violation of one credential, whichever check finds it', async (t) => {
    const material = await makeMaterial();
    const other = (await keyPairs())[3];
    const files = new Map([
      ...(await withExpiredCertificate(material, { now: new Date() })),
      ['apiv3_key', Buffer.from('too short')],
      ['apiclient_key.pem', (await withMismatchedPair(material, other)).get('apiclient_key.pem')!],
      ['wechatpay_OWN.pem', Buffer.from(material.merchant.certificate)],
    ]);
    const { code, report } = await validateJson(await write(t, { bad: files, good: material.files }));
    assert.equal(code, 65);
    assert.deepEqual(codes(report)?.toSorted(), [
      'apiv3-key-length',
      'certificate-expired',
      'key-mismatch',
      'platform-key-is-merchant',
    ]);
    assert.deepEqual([report.valid, report.credentials[1]?.valid], [false, true]);
  });

  it('expects no platform key in material whose platform certificates are downloaded', async (t) => {
    const directory = await makeDirectory(t);
    const { files } = await makeMaterial();
    const path = await writeFiles(join(directory, 'keys'), [...files].filter(([name]) => !name.startsWith('wechatpay_'))); // prettier-ignore
    const more = '    require: [sign, verify, decrypt]\n    platformCertificates: download\n';
    await writeFile(join(directory, 'token'), token);
    await writeFile(join(directory, 'paycert.yaml'), configuration(directory, [credential({ path, more })]));
    const { code, stdout } = await paycert(['validate', '--config', join(directory, 'paycert.yaml')]);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^ {2}can {4}sign, decrypt\n {2}later {2}verify, encrypt: once the platform certificates are downloaded$/m); // prettier-ignore
    assert.doesNotMatch(stdout, /cannot|add /);
  });

  it('names what `require` asks for and the material cannot do', async (t) => {
    const { files } = await makeMaterial();
    const signing = new Map([...files].filter(([name]) => name.startsWith('apiclient_')));
    const config = await write(t, { one: signing });
    const text = await readFile(config, 'utf8');
    assert.equal((await validateJson(config)).code, 0);
    await writeFile(config, text.replace('    provider:', '    require: [sign, verify, decrypt]\n    provider:'));
    const { code, report } = await validateJson(config);
    assert.deepEqual([code, codes(report)], [65, ['requirement-unmet', 'requirement-unmet']]);
  });

  it('prints the remedy of each violation and warning', async (t) => {
    const material = await makeMaterial();
    const expired = await material.authority.issue({
      commonName: 'Tenpay.com sign',
      keyPair: (await keyPairs())[4]!,
      notBefore: new Date(Date.now() - 9e8),
      notAfter: new Date(Date.now() - 1e8),
    });
    const config = await write(t, {
      bad: new Map([['apiv3_key', Buffer.from('short')]]),
      odd: new Map(material.files).set('wechatpay_OLD.pem', Buffer.from(expired.certificate)),
    });
    const { code, stdout } = await paycert(['validate', '--config', config]);
    assert.equal(code, 65);
    for (const name of ['material-missing', 'apiv3-key-length', 'platform-certificate-expired'] as const)
      assert.ok(stdout.includes(`(${name})\n         ${errorTable[name].hint}`), stdout);
    assert.match(stdout, /^odd: valid\n {2}can .*\n {2}warn: {2}/m);
  });

  it('reports a directory that is not there as a violation of its credential', async (t) => {
    const directory = await makeDirectory(t);
    await writeFile(join(directory, 'token'), token);
    const path = join(directory, 'paycert.yaml');
    await writeFile(path, configuration(directory, [credential({ path: join(directory, 'missing') })]));
    const { code, report } = await validateJson(path);
    assert.equal(code, 65);
    assert.deepEqual(codes(report), ['source-unreadable']);
  });

  const broken: readonly (readonly [title: string, config: string, code: string])[] = [
    ['no YAML', 'listen: {', 'config-syntax'],
    ['a misspelled field', 'lisen: {}\nlisten: { socket: /tmp/x }\ncredentials: []', 'config-invalid'],
    [
      'a token file that is not there',
      'listen: { tcp: { address: "127.0.0.1:0", tokenFile: /nowhere/token } }\ncredentials: []',
      'token-unusable',
    ],
  ];
  for (const [title, config, expected] of broken) {
    it(`ends with exit code 78 for a configuration with ${title}, as JSON too`, async (t) => {
      const path = join(await makeDirectory(t), 'paycert.yaml');
      await writeFile(path, config);
      const { code, report, stderr } = await validateJson(path);
      assert.equal(code, 78);
      assert.deepEqual([report.valid, report.error?.code], [false, expected]);
      assert.match(stderr, new RegExp(`\\(${expected}\\)\nhint: `));
    });
  }

  it('says so when there are no credentials', async (t) => {
    assert.equal((await paycert(['validate', '-c', await write(t, {})])).stdout, 'no credentials\n');
  });

  it('uses colours on a terminal only', async (t) => {
    const config = await write(t, { one: (await makeMaterial()).files });
    assert.ok(!(await paycert(['validate', '-c', config])).stdout.includes('\x1b'));
    if (!hasScript) {
      t.skip('there is no script(1)');
      return;
    }
    const { code, shown } = await onTerminal(['validate', '-c', config]);
    assert.equal(code, 0);
    assert.ok(shown.includes('\x1b[32mvalid'));
  });
});
