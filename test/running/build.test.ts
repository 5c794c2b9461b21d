// Configuration becomes sources and providers: one row per kind, with the defaults.
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { buildCredential, buildPolicy, type BuildDependencies } from '../../src/running/build.ts';
import type { CredentialConfig } from '../../src/config/schema/credential.ts';
import { type SourceConfig, SourceSchema } from '../../src/config/schema/source.ts';
import type { Source } from '../../src/sources/source.ts';
import { makeDirectory, textsOf } from '../support/directories.ts';
import { FakeClock } from '../support/fake-clock.ts';

const clock = new FakeClock();
const dependencies = { clock, observe: () => undefined, environment: { KEY: 'from-env' } };
const signal = new AbortController().signal;
const config = {
  name: 'shop',
  provider: { wechatpay: { merchantId: '1900000001' } },
  source: { files: { path: '/k' } },
};

const buildSource = (source: SourceConfig, given: BuildDependencies = dependencies) =>
  buildCredential({ ...config, source }, given).source;

describe('a credential that is built', () => {
  it('has the defaults of the schema', () => {
    const { name, older, graceMilliseconds, provider } = buildCredential(config, dependencies);
    assert.deepEqual([name, older, graceMilliseconds], ['shop', 'accept', 7 * 86_400_000]);
    assert.equal(provider.identity, 'wechatpay/1900000001');
    const maxAge = { milliseconds: 90 * 86_400_000, isGiven: false };
    const plain = { provider: 'wechatpay', isRequired: false, suspendedSince: undefined };
    const { origins, forwarding, notifying, querying, ...policy } = buildPolicy(config);
    assert.ok(notifying && querying);
    assert.deepEqual(policy, { ...plain, requires: ['sign'], maxAge });
    assert.deepEqual([origins?.[0], forwarding?.allowed[0]], ['https://api.mch.weixin.qq.com', 'GET /v3/*']);
  });

  it('is forwarded by a proxy where its platform says how', () => {
    const forwardingOf = (provider: CredentialConfig['provider']) => buildPolicy({ ...config, provider }).forwarding;
    assert.ok(forwardingOf({ wechatpayV2: { merchantId: '1900000001' } }));
    assert.equal(forwardingOf({ mtls: {} }), undefined);
  });

  it('has what the configuration says', () => {
    const given = { ...config, older: 'reject', grace: '1h', required: true, require: ['verify'] } as const;
    const credential = buildCredential({ ...given, require: [...given.require] }, dependencies);
    assert.deepEqual([credential.older, credential.graceMilliseconds], ['reject', 3_600_000]);
    const { isRequired, requires, maxAge } = buildPolicy({ ...given, require: [...given.require], maxAge: '30d' });
    assert.deepEqual([isRequired, requires], [true, ['verify']]);
    assert.deepEqual(maxAge, { milliseconds: 30 * 86_400_000, isGiven: true });
  });

  it('of Alipay goes to production unless the configuration says otherwise', () => {
    const identityOf = (more: object) =>
      buildCredential(
        { ...config, provider: { alipay: { appId: '2021000000000001', mode: 'key', ...more } } },
        dependencies,
      ).provider.identity;
    assert.equal(identityOf({}), 'alipay/production/2021000000000001');
    assert.equal(identityOf({ gateway: 'sandbox' }), 'alipay/sandbox/2021000000000001');
  });

  it('polls every ten seconds unless the configuration says otherwise', async (t) => {
    const path = await makeDirectory(t);
    for (const [files, milliseconds] of [
      [{ path }, 10_000],
      [{ path, poll: '2s' }, 2000],
    ] as const) {
      const own = new FakeClock();
      const stop = new AbortController();
      const ticks = buildSource({ files }, { ...dependencies, clock: own })
        .changes(stop.signal)
        [Symbol.asyncIterator]();
      await ticks.next();
      const asleep = own.nextSleep();
      const ended = ticks.next();
      await asleep;
      assert.deepEqual(own.sleeping, [milliseconds]);
      stop.abort();
      await ended;
      await ticks.return?.();
    }
  });
});

describe('a source that is built', () => {
  it('unites several paths, environment variables and other sources', async (t) => {
    const [a, b] = [await makeDirectory(t), await makeDirectory(t)];
    await writeFile(join(a, 'a'), '1');
    await writeFile(join(b, 'b'), '2');
    const merge = [{ files: { path: [a, b], keys: { renamed: 'b' } } }, { env: { keys: { c: 'KEY' } } }];
    const { data } = await buildSource({ merge }).read(signal);
    assert.deepEqual(textsOf(data), { a: '1', c: 'from-env', renamed: '2' });
  });

  it('has a name that shows no value', () => {
    const merge = [{ files: { path: '/k' } }, { env: { keys: { c: 'KEY' } } }];
    assert.equal(buildSource({ merge }).name, 'merge(files:/k env:KEY)');
  });
});

describe('the schema', () => {
  it('knows the kinds of source that can be built and no other', () => {
    assert.deepEqual(Object.keys(SourceSchema.properties), [
      'files',
      'env',
      'secret',
      'vault',
      'consul',
      'etcd',
      'pki',
      'unwrap',
      'merge',
      'fallback',
      'staged',
    ]);
  });
});

describe('a pair that nothing ties together, in plain files', () => {
  const before = { 'apiclient_key.pem': 'a', merchant_serial: '1' };

  async function makePlain(t: TestContext) {
    const directory = await makeDirectory(t);
    const own = new FakeClock('2026-11-22T00:00:00Z');
    const write = async (name: string, parts: Readonly<Record<string, string>>): Promise<SourceConfig> => {
      const path = join(directory, name);
      await mkdir(path, { recursive: true });
      for (const [part, text] of Object.entries(parts)) await writeFile(join(path, part), text);
      return { files: { path } };
    };
    const build = (source: SourceConfig) => buildSource(source, { ...dependencies, clock: own });
    const waits = async (): Promise<'waits'> => {
      while ((await own.nextSleep()) !== 250);
      return 'waits';
    };
    const read = (source: Source) => source.read(signal).then(({ data }) => textsOf(data));
    return { directory, own, write, build, waits, read };
  }

  it('waits for nothing when the next of two staged sets is activated, whatever part they share', async (t) => {
    const { own, write, build, waits, read } = await makePlain(t);
    const after = { ...before, merchant_serial: '2' };
    const [current, next] = [await write('current', before), await write('next', after)];
    const source = build({ staged: { current, next, activate: { at: '2026-11-22T01:00:00Z' } } });
    assert.deepEqual(await read(source), before);
    own.advance(2 * 3_600_000);
    assert.deepEqual(await Promise.race([read(source), waits()]), after);
  });

  it('is not used half when the next set is written while it is activated', async (t) => {
    const { own, write, build, waits, read } = await makePlain(t);
    const current = await write('current', before);
    const next = await write('next', { 'apiclient_key.pem': 'b', merchant_serial: '2' });
    const source = build({ staged: { current, next, activate: { at: '2026-11-22T01:00:00Z' } } });
    await read(source);
    own.advance(2 * 3_600_000);
    await write('next', { 'apiclient_key.pem': 'c' });
    const reading = read(source);
    assert.equal(await Promise.race([reading, waits()]), 'waits');
    await write('next', { merchant_serial: '3' });
    own.advance(250);
    assert.deepEqual(await reading, { 'apiclient_key.pem': 'c', merchant_serial: '3' });
  });

  it('waits for nothing when another source has to do', async (t) => {
    const { directory, write, build, waits, read } = await makePlain(t);
    const after = { ...before, merchant_serial: '2' };
    const source = build({ fallback: [await write('best', before), await write('spare', after)] });
    assert.deepEqual(await read(source), before);
    await rm(join(directory, 'best'), { recursive: true });
    assert.deepEqual(await Promise.race([read(source), waits()]), after);
  });

  it('waits where each part has a source of its own', async (t) => {
    const { own, write, build, waits, read } = await makePlain(t);
    const { 'apiclient_key.pem': key, ...rest } = before;
    const source = build({ merge: [await write('key', { 'apiclient_key.pem': key }), await write('serial', rest)] });
    assert.deepEqual(await read(source), before);
    await write('serial', { merchant_serial: '2' });
    const reading = read(source);
    assert.equal(await Promise.race([reading, waits()]), 'waits');
    await write('key', { 'apiclient_key.pem': 'b' });
    own.advance(250);
    assert.deepEqual(await reading, { 'apiclient_key.pem': 'b', merchant_serial: '2' });
  });
});
