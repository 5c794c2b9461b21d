// Keys of etcd under a prefix as a source, against a real etcd: one revision is one set, and a lost watch or server loses nothing.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import type { SourceConfig } from '../../src/config/schema/source.ts';
import { PaycertError } from '../../src/errors.ts';
import { buildCredential } from '../../src/running/build.ts';
import { Origins } from '../../src/running/origins.ts';
import type { Source } from '../../src/sources/source.ts';
import { textsOf } from '../support/directories.ts';
import { freePort } from '../support/free-port.ts';
import { Peer } from '../support/peers.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';
import { Watching } from '../support/watching.ts';

type Config = NonNullable<SourceConfig['etcd']>;

const program = join(process.env['KUBEBUILDER_ASSETS'] ?? '', 'etcd');
const skip = !existsSync(program) && 'KUBEBUILDER_ASSETS names no folder with etcd';
const limit = { timeout: 300_000, skip };
const signal = new AbortController().signal;
const content = (keyId: string) => ({ context: JSON.stringify({ keyId }) });

let directory = '';
let url = '';
let start: () => Peer = () => assert.fail('not prepared');
let peer: Peer | undefined;
let names = 0;
/** Of the owner, once users are asked for. */
let token: string | undefined;

before(async () => {
  if (skip !== false) return;
  directory = await mkdtemp(join(tmpdir(), 'paycert-etcd-'));
  url = `http://127.0.0.1:${String(await freePort())}`;
  const peers = `http://127.0.0.1:${String(await freePort())}`;
  const flags = [`--data-dir=${directory}/data`, '--unsafe-no-fsync', `--listen-client-urls=${url}`, `--advertise-client-urls=${url}`, `--listen-peer-urls=${peers}`, `--initial-advertise-peer-urls=${peers}`, `--initial-cluster=default=${peers}`]; // prettier-ignore
  start = () => new Peer(program, flags, directory);
  peer = start();
  await peer.until(isReady);
});
after(async () => {
  await peer?.kill();
  await rm(directory, { recursive: true, force: true });
});

const isReady = async (): Promise<boolean> => {
  await ask('kv/put', { key: base64('ready'), value: base64('yes') });
  return true;
};

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function ask(path: string, body: object): Promise<Readonly<Record<string, unknown>>> {
  const headers = token === undefined ? {} : { Authorization: token };
  const response = await fetch(`${url}/v3/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, `${path}: ${String(response.status)} ${text}`);
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}

/** Writes a set as one transaction. */
async function write(prefix: string, data: Readonly<Record<string, string>>, lease = '0'): Promise<void> {
  const success = Object.entries(data).map(([name, value]) => ({
    request_put: { key: base64(`${prefix}/${name}`), value: base64(value), lease },
  }));
  await ask('kv/txn', { success });
}

const configure = (more: Partial<Config> = {}): Config => ({
  address: url,
  prefix: `shop/${String(names++)}`,
  ...more,
});

const build = (config: Config, origins?: Origins): Source =>
  buildCredential(
    { name: 'shop', provider: { wechatpay: { merchantId: '1900000001' } }, source: { etcd: config } },
    { clock: systemClock, observe: () => undefined, environment: {}, ...(origins && { origins }) },
  ).source;

const watch = (t: TestContext, config: Config) => new Watching(t, { source: () => build(config) });

const codeIs = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof PaycertError && error.code === code && message.test(error.message);

describe('keys of etcd under a prefix', () => {
  it('are one set as of one revision, by their names under it, and nothing beside it', limit, async () => {
    const config = configure({ keys: { apiv3_key: 'current' } });
    await write(config.prefix, { current: 'k', 'retired/old.pem': 'o', empty: '' });
    for (const beside of ['-other', '0', '']) await write(`${config.prefix}${beside}x`, { beside: 'b' });
    const { data, version, mayBeTorn = false } = await build(config).read(signal);
    assert.deepEqual(textsOf(data), { apiv3_key: 'k', empty: '', 'retired/old.pem': 'o' });
    assert.match(version!, /^\d+$/);
    assert.equal(mayBeTorn, false);
  });
});

describe('followed keys of etcd', () => {
  it('are current after every write, without a poll', limit, async (t) => {
    const config = configure();
    await write(config.prefix, content('0'));
    const watching = watch(t, config);
    await watching.untilSignsWith('0');
    for (const id of ['1', '2', '3']) await watching.change(() => write(config.prefix, content(id)), id);
    assert.deepEqual(watching.recorder.of('found-by-poll'), []);
  });

  it('that are not there yet are waited for', limit, async (t) => {
    const config = configure();
    const watching = watch(t, config);
    assert.equal((await watching.recorder.next('source-failed')).error.code, 'origin-missing');
    await watching.change(() => write(config.prefix, content('1')), '1');
  });

  it('whose lease ends leave the last good set current, and the status says why', limit, async (t) => {
    const config = configure();
    const { ID: lease } = await ask('lease/grant', { TTL: '3600' });
    await write(config.prefix, content('0'), String(lease));
    const watching = watch(t, config);
    await watching.untilSignsWith('0');
    const failed = watching.recorder.next('source-failed');
    await ask('lease/revoke', { ID: lease });
    const { error } = await failed;
    assert.equal(error.code, 'origin-missing');
    assert.match(error.message, /nothing any more: the lease of its keys has ended$/);
    assert.equal(watching.signsWith, '0');
    await watching.change(() => write(config.prefix, content('1')), '1');
  });

  it('are followed through a compaction and a connection that is cut', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, url);
    const config = configure({ address: proxy.url });
    await write(config.prefix, content('0'));
    const watching = watch(t, config);
    await watching.untilSignsWith('0');
    await proxy.until(/watch/, 1);
    const { header } = await ask('kv/range', { key: base64('ready') });
    await ask('kv/compaction', { revision: (header as { revision: string }).revision, physical: true });
    proxy.cut();
    await watching.change(() => write(config.prefix, content('1')), '1');
    assert.equal(watching.signsWith, '1');
  });

  it('survive the end and the return of the server', limit, async (t) => {
    const config = configure();
    await write(config.prefix, content('0'));
    const watching = watch(t, config);
    await watching.untilSignsWith('0');
    const failed = watching.recorder.next('source-failed');
    await peer?.kill();
    assert.equal((await failed).error.code, 'origin-unreachable');
    assert.equal(watching.signsWith, '0');
    peer = start();
    await peer.until(isReady);
    await watching.change(() => write(config.prefix, content('1')), '1');
  });
});

describe('a user of etcd', () => {
  it(
    'logs in with a password, again when its token has ended, once for a thousand, and says what is refused or withdrawn',
    limit,
    async (t) => {
      const config = configure();
      await write(config.prefix, content('0'));
      const passwordFile = join(directory, 'password');
      await writeFile(passwordFile, 'right\n');
      const wrongFile = join(directory, 'wrong');
      await writeFile(wrongFile, 'wrong\n');
      await ask('auth/role/add', { name: 'shop' });
      const span = { key: base64(`${config.prefix}/`), range_end: base64(`${config.prefix}0`) };
      await ask('auth/role/grant', { name: 'shop', perm: { permType: 'READ', ...span } });
      for (const [name, role] of [
        ['root', 'root'],
        ['shop', 'shop'],
      ] as const) {
        // prettier-ignore
        await ask('auth/user/add', { name, password: 'right' });
        await ask('auth/user/grant', { user: name, role });
      }
      await ask('auth/enable', {});
      token = String((await ask('auth/authenticate', { name: 'root', password: 'right' }))['token']);
      t.after(async () => {
        await ask('auth/disable', {});
        token = undefined;
      });

      const user = { name: 'shop', passwordFile };
      await assert.rejects(build(config).read(signal), codeIs('origin-unauthenticated', /etcd asks for a user/));
      const wrong = build({ ...config, user: { name: 'shop', passwordFile: wrongFile } });
      await assert.rejects(
        wrong.read(signal),
        codeIs('origin-unauthenticated', /log in as shop: .* the password in .*wrong/),
      );
      const elsewhere = build({ ...config, user, prefix: 'shop/elsewhere' });
      await assert.rejects(
        elsewhere.read(signal),
        codeIs('origin-forbidden', /no role of our user allows it \(403\)$/),
      );

      const watching = watch(t, { ...config, user });
      await watching.untilSignsWith('0');
      await watching.change(() => write(config.prefix, content('1')), '1');
      // Its tokens are gone with the process that gave them.
      await peer?.kill();
      peer = start();
      token = undefined;
      await peer.until(async () => {
        token = String((await ask('auth/authenticate', { name: 'root', password: 'right' }))['token']);
        return true;
      });
      await watching.change(() => write(config.prefix, content('2')), '2');

      const proxy = await RecordingProxy.start(t, url);
      const origins = new Origins({ clock: systemClock, observe: () => undefined });
      const many = Array.from({ length: 1000 }, () => build({ ...config, user, address: proxy.url }, origins));
      await Promise.all(many.map((source) => source.read(signal)));
      assert.deepEqual([proxy.count(/authenticate 200/), proxy.count(/range 200/)], [1, 1000]);
      assert.ok(proxy.mostSockets <= 8, String(proxy.mostSockets));

      const failed = watching.recorder.next('source-failed');
      await ask('auth/role/revoke', { role: 'shop', ...span });
      await write(config.prefix, content('3'));
      assert.equal((await failed).error.code, 'origin-forbidden');
      assert.equal(watching.signsWith, '2');
      const granted = ask('auth/role/grant', { name: 'shop', perm: { permType: 'READ', ...span } });
      await Promise.all([watching.untilSignsWith('3'), granted]);
    },
  );
});
