// Keys of Consul under a prefix as a source, against a real Consul: one set, followed by questions that wait, and kept when the server is away.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import type { SourceConfig } from '../../src/config/schema/source.ts';
import { PaycertError } from '../../src/errors.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { withIgnored } from '../../src/providers/shared/ignored.ts';
import { buildCredential } from '../../src/running/build.ts';
import { Origins } from '../../src/running/origins.ts';
import type { Source } from '../../src/sources/source.ts';
import { textsOf } from '../support/directories.ts';
import { fakeProvider } from '../support/fake-provider.ts';
import { freePort } from '../support/free-port.ts';
import { noPeer, Peer, peerPath } from '../support/peers.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';
import { Watching } from '../support/watching.ts';

type Config = NonNullable<SourceConfig['consul']>;

const limit = { timeout: 300_000, skip: noPeer('consul') };
const signal = new AbortController().signal;
const owner = '11111111-2222-3333-4444-555555555555';
const content = (keyId: string) => ({ context: JSON.stringify({ keyId }) });

let directory = '';
let url = '';
let start: () => Peer = () => assert.fail('not prepared');
let peer: Peer | undefined;
let prefixes = 0;

before(async () => {
  if (limit.skip !== false) return;
  directory = await mkdtemp(join(tmpdir(), 'paycert-consul-'));
  const ports = [await freePort(), await freePort(), await freePort()];
  const [port, ...others] = ports.map(String);
  url = `http://127.0.0.1:${String(port)}`;
  const acl = join(directory, 'acl.hcl');
  // Without limits of its own: the agent takes 200 connections of one address, from which all credentials of this file come.
  await writeFile(acl, `acl { enabled = true  default_policy = "deny"  tokens { master = "${owner}" } }\n`);
  const flags = ['-bind=127.0.0.1', '-client=127.0.0.1', '-dns-port=-1', '-grpc-port=-1', '-serf-wan-port=-1'];
  start = () =>
    new Peer(
      peerPath('consul'),
      ['agent', '-dev', ...flags, `-http-port=${String(port)}`, `-serf-lan-port=${String(others[0])}`, `-server-port=${String(others[1])}`, `-config-file=${acl}`], // prettier-ignore
      directory,
    );
  peer = start();
  await peer.until(isReady);
});
after(async () => {
  await peer?.kill();
  await rm(directory, { recursive: true, force: true });
});

/** With a leader, and the owner's token known. */
const isReady = async (): Promise<boolean> => {
  await ask('PUT', 'kv/ready', 'yes');
  return true;
};

async function ask(method: string, path: string, body?: string, token = owner): Promise<unknown> {
  const response = await fetch(`${url}/v1/${path}`, {
    method,
    headers: { 'X-Consul-Token': token },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${String(response.status)} ${text}`);
  return JSON.parse(text);
}

/** Writes a set as one transaction. */
async function write(prefix: string, data: Readonly<Record<string, string>>): Promise<void> {
  const operations = Object.entries(data).map(([name, value]) => ({
    KV: { Verb: 'set', Key: `${prefix}/${name}`, Value: Buffer.from(value).toString('base64') },
  }));
  await ask('PUT', 'txn', JSON.stringify(operations));
}

async function fileOf(token: string): Promise<string> {
  const path = join(directory, `token-${String(prefixes++)}`);
  await writeFile(path, `${token}\n`);
  return path;
}

const configure = async (more: Partial<Config> = {}): Promise<Config> => ({
  address: url,
  prefix: `shop/${String(prefixes++)}`,
  tokenFile: await fileOf(owner),
  ...more,
});

const surroundings = { clock: systemClock, observe: () => undefined };

const build = (config: Config, origins?: Origins): Source =>
  buildCredential(
    { name: 'shop', provider: { wechatpay: { merchantId: '1900000001' } }, source: { consul: config } },
    { ...surroundings, environment: {}, ...(origins && { origins }) },
  ).source;

const watch = (t: TestContext, config: Config, provider: Provider = fakeProvider) =>
  new Watching(t, { source: () => build(config), provider });

const codeIs = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof PaycertError && error.code === code && message.test(error.message);

describe('keys of Consul under a prefix', () => {
  it('are one set, by their names under it, and nothing beside it', limit, async () => {
    const config = await configure({ keys: { apiv3_key: 'current' } });
    await write(config.prefix, { current: 'k', 'retired/old.pem': 'o', empty: '' });
    await write(`${config.prefix}-other`, { beside: 'b' });
    await ask('PUT', `kv/${config.prefix}/folder/`, '');
    const source = build(config);
    const { data, version, mayBeTorn } = await source.read(signal);
    assert.deepEqual(textsOf(data), { apiv3_key: 'k', empty: '', 'retired/old.pem': 'o' });
    assert.match(version!, /^\d+$/);
    assert.equal(mayBeTorn, true);
    assert.equal(source.name, `consul:${config.prefix}`);
  });

  it('may be bytes that are no text', limit, async () => {
    const config = await configure();
    const bytes = Buffer.from([0, 255, 128, 10]);
    const operation = { KV: { Verb: 'set', Key: `${config.prefix}/p12`, Value: bytes.toString('base64') } };
    await ask('PUT', 'txn', JSON.stringify([operation]));
    assert.deepEqual((await build(config).read(signal)).data.get('p12'), bytes);
  });

  it('that are written while they are read are read again until two reads agree', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, url);
    const config = await configure({ address: proxy.url });
    await write(config.prefix, { a: '1', b: '1' });
    const reading = build(config).read(signal);
    await proxy.until(/kv\/shop/, 1);
    await write(config.prefix, { a: '2', b: '2' });
    assert.deepEqual(textsOf((await reading).data), { a: '2', b: '2' });
    assert.equal(proxy.count(/kv\/shop/), 3);
  });
});

describe('followed keys of Consul', () => {
  it('are current after every write, without a poll', limit, async (t) => {
    const config = await configure();
    await write(config.prefix, content('0'));
    const watching = watch(t, config);
    await watching.untilSignsWith('0');
    for (const id of ['1', '2', '3']) await watching.change(() => write(config.prefix, content(id)), id);
    assert.deepEqual(watching.recorder.of('found-by-poll'), []);
  });

  it('are not read again for a change beside them', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, url);
    const config = await configure({ address: proxy.url });
    await write(config.prefix, content('0'));
    const watching = watch(t, config);
    await watching.untilSignsWith('0');
    await proxy.until(/index=0/, 1);
    for (const id of ['1', '2', '3']) await write(`${config.prefix}-other`, content(id));
    await watching.change(() => write(config.prefix, content('1')), '1');
    assert.equal(proxy.count(/consistent=true/), 4);
  });

  it('are no new generation when a key that nothing uses is written among them', limit, async (t) => {
    const config = await configure();
    await write(config.prefix, content('0'));
    const watching = watch(t, config, withIgnored(fakeProvider));
    await watching.untilSignsWith('0');
    const [{ version }, looked] = [watching.current, watching.recorder.next('unchanged')];
    await write(config.prefix, { notes: 'a' });
    await looked;
    assert.equal(watching.current.generation, 1);
    assert.ok(Number(watching.current.version) > Number(version));
    await watching.change(() => write(config.prefix, content('1')), '1');
    assert.equal(watching.current.generation, 2);
  });

  it('that are not there yet are waited for, and that are deleted leave the last good set', limit, async (t) => {
    const config = await configure();
    const watching = watch(t, config);
    const { error } = await watching.recorder.next('source-failed');
    assert.equal(error.code, 'origin-missing');
    await watching.change(() => write(config.prefix, content('1')), '1');
    const failed = watching.recorder.next('source-failed');
    await ask('DELETE', `kv/${config.prefix}/?recurse=true`);
    assert.equal((await failed).error.code, 'origin-missing');
    assert.equal(watching.signsWith, '1');
    await watching.change(() => write(config.prefix, content('2')), '2');
  });

  it('stay current while there is no leader, and the status says so', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, url);
    const config = await configure({ address: proxy.url });
    await write(config.prefix, content('0'));
    const watching = watch(t, config);
    await watching.untilSignsWith('0');
    for (const [instead, message] of [
      [{ status: 500, body: 'No cluster leader' }, /no leader, or cannot answer now \(500\)/],
      [{ status: 200, headers: { 'X-Consul-Knownleader': 'false', 'X-Consul-Index': '9' }, body: '[]' }, /may be old$/],
    ] as const) {
      const failed = watching.recorder.next('source-failed', ({ error }) => message.test(error.message));
      proxy.instead = () => instead;
      proxy.cut();
      assert.equal((await failed).error.code, 'origin-failing');
      assert.equal(watching.signsWith, '0');
    }
    proxy.instead = () => undefined;
    await watching.change(() => write(config.prefix, content('1')), '1');
  });

  // A question that is asked with the old index after the new server began waits to its end, and then all is as before: a minute, and
  // five seconds where two take turns on one connection.
  it(
    'survive a server that comes back with less: its index begins again, and so do we',
    { ...limit, timeout: 900_000 },
    async (t) => {
      const config = await configure();
      await write(config.prefix, content('0'));
      // A high index, so that the new server's is lower.
      for (let writes = 0; writes < 20; writes++) await ask('PUT', 'kv/unrelated', String(writes));
      await write(config.prefix, content('1'));
      const origins = new Origins(surroundings);
      const follow = (one: Config) =>
        new Watching(t, { source: () => build({ ...one, connections: 1 }, origins), provider: fakeProvider });
      follow(await configure());
      const watching = follow(config);
      await watching.untilSignsWith('1');
      await peer?.kill();
      peer = start();
      await peer.until(isReady);
      assert.equal(watching.signsWith, '1');
      await watching.change(() => write(config.prefix, content('2')), '2');
      await watching.change(() => write(config.prefix, content('3')), '3');
    },
  );
});

describe('a token of Consul', () => {
  it('that is unknown, may not read, or is no token says which, and is read again', limit, async (t) => {
    const config = await configure();
    await write(config.prefix, content('0'));
    const policy = (await ask('PUT', 'acl/policy', JSON.stringify({ Name: 'shop', Rules: `key_prefix "${config.prefix}/" { policy = "read" }` }))) as { ID: string }; // prettier-ignore
    const token = (await ask('PUT', 'acl/token', JSON.stringify({ Policies: [{ ID: policy.ID }] }))) as { SecretID: string; AccessorID: string }; // prettier-ignore
    const read = async (text: string) => build({ ...config, tokenFile: await fileOf(text) }).read(signal);
    await assert.rejects(
      read('99999999-2222-3333-4444-555555555555'),
      codeIs('origin-forbidden', /does not know our token/),
    );
    await assert.rejects(read('two words'), codeIs('origin-unauthenticated', /holds no token/));
    const { tokenFile, ...anonymous } = config;
    await assert.rejects(build(anonymous).read(signal), codeIs('origin-missing', /or nothing that our token may read/));

    const path = await fileOf(token.SecretID);
    const watching = watch(t, { ...config, tokenFile: path });
    await watching.untilSignsWith('0');
    const failed = watching.recorder.next('source-failed');
    await ask('DELETE', `acl/token/${token.AccessorID}`);
    await write(config.prefix, content('1'));
    assert.equal((await failed).error.code, 'origin-forbidden');
    assert.equal(watching.signsWith, '0');
    await Promise.all([watching.untilSignsWith('1'), writeFile(path, owner)]);
  });

  it(
    'whose policy is withdrawn keeps the last good set, says so, and follows when it is given back',
    limit,
    async (t) => {
      const config = await configure();
      await write(config.prefix, content('0'));
      const rules = (prefix: string) =>
        JSON.stringify({ Name: 'lent', Rules: `key_prefix "${prefix}/" { policy = "read" }` });
      const { ID: id } = (await ask('PUT', 'acl/policy', rules(config.prefix))) as { ID: string };
      const { SecretID: token } = (await ask('PUT', 'acl/token', JSON.stringify({ Policies: [{ ID: id }] }))) as { SecretID: string }; // prettier-ignore
      const watching = watch(t, { ...config, tokenFile: await fileOf(token) });
      await watching.untilSignsWith('0');
      const failed = watching.recorder.next('source-failed');
      await ask('PUT', `acl/policy/${id}`, rules('elsewhere'));
      await write(config.prefix, content('1'));
      const { error } = await failed;
      assert.deepEqual([error.code, watching.signsWith], ['origin-missing', '0']);
      assert.match(error.message, /or nothing that our token may read/);
      const given = async () => {
        await ask('PUT', `acl/policy/${id}`, rules(config.prefix));
        await write(config.prefix, content('2'));
      };
      await watching.change(given, '2');
    },
  );
});

describe('a thousand credentials in one Consul', () => {
  /** Each with a prefix of its own, behind one client. */
  async function thousand(t: TestContext) {
    const root = `many/${String(prefixes++)}`;
    // As many as one transaction takes.
    const write64 = (first: number) =>
      write(root, Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`${String(first + index)}/key`, 'v'])));
    for (let first = 0; first < 1000; first += 64) await write64(first);
    const proxy = await RecordingProxy.start(t, url);
    const config = await configure({ address: proxy.url });
    const origins = new Origins(surroundings);
    const sources = Array.from({ length: 1000 }, (_, index) =>
      build({ ...config, prefix: `${root}/${String(index)}` }, origins),
    );
    return { root, proxy, sources };
  }

  it('are read over eight connections, with two requests each, and no more while it is down', limit, async (t) => {
    const { proxy, sources } = await thousand(t);
    const all = await Promise.all(sources.map((source) => source.read(signal)));
    assert.ok(all.every(({ data }) => textsOf(data)['key'] === 'v'));
    assert.deepEqual([proxy.count(/kv\/many.* 200/), proxy.exchanges.length], [2000, 2000]);
    assert.ok(proxy.mostSockets <= 8, String(proxy.mostSockets));

    proxy.instead = () => ({ status: 500, body: 'No cluster leader' });
    const errors = await Promise.all(
      sources.map((source) => source.read(signal).catch((error: unknown) => error as PaycertError)),
    );
    assert.ok(errors.every((error) => error instanceof PaycertError && error.code === 'origin-failing'));
    assert.ok(proxy.exchanges.length <= 2016, String(proxy.exchanges.length));
  });

  it('are followed by turns on 128 connections, and a change of one asks about that one alone', limit, async (t) => {
    const { root, proxy, sources } = await thousand(t);
    const stop = new AbortController();
    const news: number[] = [];
    let wake = (): void => undefined;
    const following = sources.map(async (source, index) => {
      await source.read(stop.signal);
      for await (const tick of source.changes(stop.signal)) {
        if (tick !== 'event') continue;
        news.push(index);
        await source.read(stop.signal).catch(() => undefined);
        wake();
      }
    });
    // The first is answered at once, with the index; the second one waits.
    await proxy.untilAsked(/index=[1-9]/, 1000);
    const before = proxy.count(/consistent/);
    for (const index of [7, 993]) {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      await write(`${root}/${String(index)}`, { key: 'w' });
      await woken;
    }
    assert.deepEqual(news, [7, 993]);
    assert.equal(proxy.count(/consistent/) - before, 4);
    assert.equal(proxy.count(/ (?:429|5\d\d)$/), 0);
    assert.ok(proxy.mostSockets <= 128 + 8, String(proxy.mostSockets));
    stop.abort();
    await Promise.all(following);
  });
});
