// sign, verify, decrypt and status, against a running sidecar and against what is none.
import assert from 'node:assert/strict';
import { verify as verifySignature } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { sign as signMessage } from 'node:crypto';
import { toPkcs8Pem } from '../../src/testing/key-pair.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import type { WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { encryptField, encryptResource } from '../../src/testing/wechatpay-message.ts';
import { paycert } from '../support/paycert.ts';
import {
  configuration,
  credential,
  makeDirectory,
  makeMaterial,
  type Sidecar,
  startSidecar,
  token,
} from '../support/sidecar.ts';

describe('client commands', { timeout: 900_000 }, () => {
  let directory: string;
  let material: WechatpayMaterial;
  let sidecar: Sidecar;
  const cleanups: (() => unknown)[] = [];
  // One sidecar for all of them: its cleanups run when the last one has ended.
  const whole = { after: (cleanup: () => unknown) => void cleanups.unshift(cleanup) } as unknown as TestContext;
  const viaSocket = () => ['--socket', sidecar.socket];
  const viaTcp = () => ['--url', `http://${sidecar.tcp}`, '--token-file', join(directory, 'token')];

  before(async () => {
    directory = await makeDirectory(whole);
    material = await makeMaterial();
    await createSecretVolume(join(directory, 'main'), material.files);
    await createSecretVolume(
      join(directory, 'bare'),
      new Map([
        ['apiclient_key.pem', Buffer.from(toPkcs8Pem(material.merchant.privateKey))],
        ['merchant_serial', Buffer.from(material.merchant.serialNumber)],
        ['notes.txt', Buffer.from('where it came from')],
      ]),
    );
    const credentials = [
      credential({ path: join(directory, 'main') }),
      credential({ name: 'bare', path: join(directory, 'bare') }),
      credential({ name: 'old', path: join(directory, 'main'), more: '    maxAge: 1ms\n' }),
      credential({ name: 'empty', path: join(directory, 'missing') }),
    ];
    sidecar = await startSidecar(whole, directory, configuration(directory, credentials), {
      waitFor: ['wechat-main', 'bare', 'old'],
    });
    await sidecar.event('source-failed');
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  for (const [way, target] of [
    ['the socket', viaSocket],
    ['TCP with a token', viaTcp],
  ] as const) {
    it(`sign standard input over ${way}`, async () => {
      const { code, stdout } = await paycert(['sign', 'wechat-main', ...target()], { input: '消息\n' });
      const [signature = '', keyLine] = stdout.split('\n');
      assert.equal(code, 0);
      assert.equal(keyLine, `key id ${material.merchant.serialNumber}`);
      const { publicKey } = material.merchant;
      assert.ok(verifySignature('sha256', Buffer.from('消息\n'), publicKey, Buffer.from(signature, 'base64')));
    });
  }

  it('find the socket through PAYCERT_SOCKET', async () => {
    const { code } = await paycert(['sign', 'wechat-main'], { input: 'x', env: { PAYCERT_SOCKET: sidecar.socket } });
    assert.equal(code, 0);
  });

  it('verify a file, and end with exit code 1 where the answer is no', async () => {
    const file = join(directory, 'message');
    await writeFile(file, 'signed by the platform');
    const { keyId, privateKey } = material.platformKeys[0]!;
    const signature = signMessage('sha256', Buffer.from('signed by the platform'), privateKey).toString('base64');
    const args = (name: string) => ['verify', 'wechat-main', name, '--signature', signature, '--key-id', keyId];
    const good = await paycert([...args(file), ...viaSocket()]);
    assert.deepEqual([good.code, good.stdout], [0, 'valid\n']);
    const bad = await paycert([...args(join(directory, 'token')), ...viaSocket()]);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /^error: .* \(signature-invalid\)\nhint: /);
  });

  it('decrypt a resource as WeChat Pay writes it, and a field', async () => {
    const resource = encryptResource('金额', { apiV3Key: material.apiV3Key, associatedData: 'transaction' });
    const opened = await paycert(['decrypt', 'wechat-main', ...viaSocket()], { input: JSON.stringify(resource) });
    assert.deepEqual([opened.code, opened.stdout], [0, '金额\n']);
    const field = encryptField(material.merchant.publicKey, '张三');
    assert.equal((await paycert(['decrypt', 'wechat-main', ...viaSocket()], { input: `${field}\n` })).stdout, '张三\n');
    const other = encryptResource('x', { apiV3Key: 'x'.repeat(32) });
    const closed = await paycert(['decrypt', 'wechat-main', ...viaSocket()], { input: JSON.stringify(other) });
    assert.equal(closed.code, 1);
    const broken = await paycert(['decrypt', 'wechat-main', ...viaSocket()], { input: '{"ciphertext"' });
    assert.deepEqual([broken.code, broken.stdout], [64, '']);
  });

  it('show the status of every credential, also of one that has loaded nothing', async () => {
    const { code, stdout } = await paycert(['status', ...viaSocket()]);
    assert.equal(code, 0);
    assert.match(
      stdout,
      new RegExp(`^wechat-main +yes +1 +[0-9a-f]{16} +merchant +${material.merchant.serialNumber}`, 'm'),
    );
    assert.match(stdout, /apiv3 \((un)?proven\)/);
    assert.match(stdout, /^empty +no +0 +- +- +- +- +- +-$/m);
    assert.match(stdout, /^not ready: empty: cannot sign$/m);
    assert.match(stdout, /^unreadable: empty: .* \(source-unreadable\)\. /m);
  });

  it('show what the keys of a credential can do now, and which files count for nothing', async () => {
    const { stdout } = await paycert(['status', 'bare', ...viaSocket()]);
    assert.match(stdout, /^can: bare: sign$/m);
    assert.match(stdout, /^cannot: bare: verify, decrypt, encrypt$/m);
    assert.match(stdout, /^unread: bare: notes\.txt \(no name/m);
  });

  it('show what ends within 30 days, the first to end first', async (t) => {
    const ends = (days: number) => new Date(Date.now() + days * 86_400_000 + 60_000).toISOString();
    const key = (role: string, days: number) => ({ role, keyId: `${role}${String(days)}`, algorithm: 'RSA-2048', fingerprint: '', notAfter: ends(days) }); // prettier-ignore
    const keys = [key('merchant', 29), key('platform', 3), key('platform', 31), key('merchant-retired', 1)];
    const lines = (await printed(t, { keys })).split('\n').filter((line) => line.startsWith('ends: '));
    assert.deepEqual(
      lines.map((line) => line.replace(/ on .* in /, ' in ')),
      ['ends: w: platform platform3 in 3 days', 'ends: w: merchant merchant29 in 29 days'],
    );
  });

  it('show by when a key should be replaced, and which one is too old, although it is ready', async () => {
    const { stdout } = await paycert(['status', 'old', ...viaSocket()]);
    assert.match(stdout, /^CREDENTIAL .* NOT AFTER +DAYS LEFT +REPLACE BY$/m);
    assert.match(stdout, /^old +yes /m);
    assert.match(stdout, / apiv3 \(unproven\) +[0-9a-f]{8} +- +does not expire +\d{4}-\d\d-\d\d$/m);
    assert.match(stdout, /^too old: old: key [0-9a-f]{8} \(apiv3\) is older than maxAge; replace it$/m);
    assert.doesNotMatch((await paycert(['status', 'wechat-main', ...viaSocket()])).stdout, /too old/);
  });

  it('do not claim that a key whose certificate nobody gave does not expire', async () => {
    const { stdout } = await paycert(['status', 'bare', ...viaSocket()]);
    assert.match(stdout, new RegExp(`${material.merchant.serialNumber} +- +- +-$`, 'm'));
  });

  it('print the answer itself with --output json, problems too', async () => {
    const good = await paycert(['status', 'wechat-main', ...viaSocket(), '--output', 'json']);
    assert.equal((JSON.parse(good.stdout) as { name: string }).name, 'wechat-main');
    const bad = await paycert(['status', 'nobody', ...viaSocket(), '--output', 'json']);
    assert.deepEqual([bad.code, (JSON.parse(bad.stdout) as { title: string }).title], [64, 'credential-unknown']);
  });

  it('end with exit code 75 where the credential is not ready', async () => {
    const { code, stderr } = await paycert(['sign', 'empty', ...viaSocket()], { input: 'x' });
    assert.deepEqual([code, /\(credential-not-loaded\)/.test(stderr)], [75, true]);
  });

  it('say which option names a file that holds no token', async () => {
    const short = join(directory, 'short');
    await writeFile(short, 'x');
    const { stderr } = await paycert(['status', '--url', `http://${sidecar.tcp}`, '--token-file', short]);
    assert.match(stderr, /--token-file: the token file holds no usable token/);
  });

  it('say that the token is missing or wrong, without the token', async () => {
    const { code, stderr } = await paycert(['status', '--url', `http://${sidecar.tcp}`]);
    assert.equal(code, 64);
    assert.match(stderr, /\(token-required\)/);
    assert.ok(!stderr.includes(token));
  });

  for (const [title, args] of [
    ['socket', ['--socket', '/nowhere/api.sock']],
    ['port', ['--url', 'http://127.0.0.1:1']],
    ['host without a port', ['--url', 'http://127.0.0.1']],
  ] as const) {
    it(`say which ${title} nobody answers at, with exit code 75`, async () => {
      const { code, stderr } = await paycert(['status', ...args]);
      assert.equal(code, 75);
      assert.match(
        stderr,
        /^error: no sidecar answers at \S+[^:] \(E[A-Z]+(?:: there is no directory \/nowhere)?\) \(sidecar-unreachable\)\nhint: /,
      );
    });
  }

  for (const [title, answer] of [
    ['speaks no JSON', '<html>'],
    ['speaks JSON, but not ours', '[]'],
    ['speaks JSON that is nothing', 'null'],
  ] as const) {
    it(`recognise what ${title} as no sidecar`, async (t) => {
      const server = createServer((_, response) => response.writeHead(404).end(answer)).listen(0, '127.0.0.1');
      t.after(() => server.close());
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const { code, stderr } = await paycert(['status', '--url', `http://127.0.0.1:${port}`]);
      assert.equal(code, 75);
      assert.match(stderr, /\(sidecar-unreachable\)/);
    });
  }

  /** What `status` prints of a credential without keys of which a sidecar says this. */
  async function printed(t: TestContext, about: object): Promise<string> {
    const nothing = { keys: [], retired: [], warnings: [] };
    const answer = { name: 'w', provider: 'wechatpay', required: true, ready: false, lacking: ['sign'], ...nothing, ...about }; // prettier-ignore
    const server = createServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
    }).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return (await paycert(['status', 'w', '--url', `http://127.0.0.1:${port}`])).stdout;
  }

  it('show when good material that is not valid yet becomes current', async (t) => {
    const until = '2026-12-01T00:00:00.000Z';
    const deferral = { code: 'certificate-not-yet-valid', detail: 'D', hint: 'H', until };
    const stdout = await printed(t, { deferral });
    assert.match(stdout, /^deferred: w: becomes current by itself at 2026-12-01T00:00:00\.000Z\. D \(certificate-not-yet-valid\)\. H$/m); // prettier-ignore
  });

  it('show that a credential is suspended, and how it is resumed', async (t) => {
    const stdout = await printed(t, { suspended: true });
    assert.match(stdout, /^not ready: w: cannot sign$/m);
    assert.match(stdout, /^suspended: w: .*spec\.suspend .* false/m);
  });

  it('survive an answer that breaks off', async (t) => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'Content-Length': 100 }).write('{"name":', () => response.destroy());
    }).listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await paycert(['status', '--url', `http://127.0.0.1:${port}`]);
    assert.equal(code, 75);
    assert.match(stderr, /\(sidecar-unreachable\)/);
  });

  it('say which file cannot be read', async () => {
    const { code, stderr } = await paycert(['sign', 'wechat-main', '/nowhere/message', ...viaSocket()]);
    assert.equal(code, 64);
    assert.match(stderr, /\/nowhere\/message cannot be read/);
  });
});
