// Values that a key service wrapped, against a real OpenBao and with a key file: each is opened once, and what cannot be opened replaces nothing.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import type { KeyServicesConfig } from '../../src/config/schema/key-services.ts';
import type { SourceConfig } from '../../src/config/schema/source.ts';
import { contextBytes, parseWrappingKey, wrapValue } from '../../src/crypto/wrapped.ts';
import { PaycertError } from '../../src/errors.ts';
import { buildCredential } from '../../src/running/build.ts';
import { startKeyServices } from '../../src/running/key-services.ts';
import type { Source } from '../../src/sources/source.ts';
import { noBao, useBao } from '../support/bao.ts';
import { makeDirectory, textsOf } from '../support/directories.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';
import { Watching } from '../support/watching.ts';

type Config = NonNullable<SourceConfig['unwrap']>;

const limit = { timeout: 300_000, skip: noBao };
const signal = new AbortController().signal;
const surroundings = { clock: systemClock, observe: () => undefined };
const bao = useBao(async (started) => {
  await started.owner('POST', 'sys/mounts/transit', { type: 'transit' });
  await started.owner('POST', 'transit/keys/wrapping');
});

async function build(t: TestContext, config: Config, services: KeyServicesConfig): Promise<Source> {
  const keyServices = await startKeyServices(services, surroundings);
  t.after(() => keyServices[Symbol.asyncDispose]());
  const provider = { wechatpay: { merchantId: '1900000001' } };
  return buildCredential(
    { name: 'shop', provider, source: { unwrap: config } },
    { ...surroundings, environment: {}, keyServices },
  ).source;
}

async function wrapInTransit(text: string, context: Readonly<Record<string, string>> = {}): Promise<string> {
  const bound = contextBytes(context).toString('base64');
  const { data } = await bao().owner('POST', 'transit/encrypt/wrapping', {
    plaintext: Buffer.from(text).toString('base64'),
    ...(bound !== '' && { associated_data: bound }),
  });
  return (data as { ciphertext: string }).ciphertext;
}

const keyText = randomBytes(32).toString('base64');
const wrapHere = (text: string, context: Readonly<Record<string, string>> = {}) =>
  wrapValue(Buffer.from(text), parseWrappingKey(keyText)!, context, randomBytes(12));

/** A directory with those files, and a file with the key. */
async function write(t: TestContext, files: Readonly<Record<string, string>>) {
  const path = await makeDirectory(t);
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  const keyFile = join(await makeDirectory(t), 'wrapping.key');
  await writeFile(keyFile, `${keyText}\n`);
  return { path, local: { keyFile } };
}

const codeIs = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof PaycertError && error.code === code && message.test(error.message);

const content = (keyId: string) => JSON.stringify({ keyId });

describe('values that a key in a file wrapped', () => {
  it('are read as they were before', async (t) => {
    const { path, local } = await write(t, { apiv3_key: `${wrapHere('one')}\n`, pub_key: wrapHere('') });
    const source = await build(t, { source: { files: { path } }, with: { local: {} } }, { local });
    assert.deepEqual(textsOf((await source.read(signal)).data), { apiv3_key: 'one', pub_key: '' });
    assert.equal(source.name, `unwrap(files:${path})`);
  });

  it('that are not wrapped are refused, all by name, unless they are allowed by name or altogether', async (t) => {
    const { path, local } = await write(t, { apiv3_key: 'plain', 'cert.pem': 'public', pub_key: wrapHere('k') });
    const config = { source: { files: { path } }, with: { local: {} } };
    const error: unknown = await (await build(t, config, { local })).read(signal).catch((thrown: unknown) => thrown);
    assert.ok(codeIs('value-not-wrapped', /^apiv3_key of files:.* is not wrapped as local wraps/)(error));
    assert.deepEqual((error as PaycertError).others.map(({ field }) => field), ['cert.pem']); // prettier-ignore
    assert.ok(!(error as PaycertError).message.includes('plain'));
    const named = await build(t, { ...config, allowPlain: ['cert.pem'] }, { local });
    await assert.rejects(named.read(signal), codeIs('value-not-wrapped', /^apiv3_key /));
    const all = await build(t, { ...config, allowPlain: true }, { local });
    assert.deepEqual(textsOf((await all.read(signal)).data), { apiv3_key: 'plain', 'cert.pem': 'public', pub_key: 'k' }); // prettier-ignore
  });

  it('open with the context that they were bound to, in whatever order it is given, and with no other', async (t) => {
    const { path, local } = await write(t, { k: wrapHere('v', { credential: 'shop', stage: 'live' }) });
    const config = { source: { files: { path } }, with: { local: {} } };
    const right = await build(t, { ...config, context: { stage: 'live', credential: 'shop' } }, { local });
    assert.deepEqual(textsOf((await right.read(signal)).data), { k: 'v' });
    for (const context of [{}, { credential: 'shop' }, { credential: 'other', stage: 'live' }]) {
      const wrong = await build(t, { ...config, context }, { local });
      await assert.rejects(wrong.read(signal), codeIs('unwrap-refused', /^k of files:.*another key or context/));
    }
  });

  it('say which file holds no key, and which service is not configured', async (t) => {
    const { path, local } = await write(t, { k: wrapHere('v') });
    await writeFile(local.keyFile, 'c2hvcnQ=');
    const config = { source: { files: { path } }, with: { local: {} } };
    const source = await build(t, config, { local });
    await assert.rejects(source.read(signal), codeIs('wrapping-key-malformed', /wrapping\.key holds no key/));
    const without = await build(t, config, {});
    await assert.rejects(without.read(signal), codeIs('key-service-missing', /key of local/));
    const elsewhere = await build(t, { ...config, with: { hashivault: { key: 'wrapping' } } }, { local });
    await assert.rejects(elsewhere.read(signal), codeIs('key-service-missing', /key of hashivault/));
  });

  it('that are larger, or more, than any key is are refused before anything is opened', async (t) => {
    const big = await write(t, { k: 'x'.repeat(70_000), small: wrapHere('v') });
    const config = { with: { local: {} }, source: { files: { path: big.path } } };
    const source = await build(t, config, { local: { keyFile: '/nowhere' } });
    await assert.rejects(source.read(signal), codeIs('source-too-large', /^k of files:.* larger than 65536 bytes/));
    const many = await write(t, Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${String(i)}`, wrapHere('v')]))); // prettier-ignore
    const crowd = await build(t, { ...config, source: { files: { path: many.path } } }, { local: { keyFile: '/nowhere' } }); // prettier-ignore
    await assert.rejects(crowd.read(signal), codeIs('source-too-large', /more than 64 wrapped values/));
  });
});

describe('values that transit wrapped', () => {
  const services = async (address = bao().url, policies = ['root']): Promise<KeyServicesConfig> => ({
    hashivault: { address, auth: { token: { tokenFile: await bao().tokenFile(policies) } } },
  });
  const config = (path: string, more: Partial<Config> = {}): Config => ({
    source: { files: { path, poll: '50ms' } },
    with: { hashivault: { key: 'wrapping' } },
    ...more,
  });

  it('are opened together in one request, and again only where they have changed', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    const context = { credential: 'shop' };
    const { path } = await write(t, { a: await wrapInTransit('1', context), b: await wrapInTransit('2', context) });
    const source = await build(t, config(path, { context }), await services(proxy.url));
    const first = await source.read(signal);
    assert.deepEqual(textsOf(first.data), { a: '1', b: '2' });
    assert.equal((await source.read(signal)).revision, first.revision);
    assert.equal(proxy.count(/decrypt/), 1);
    await writeFile(join(path, 'b'), await wrapInTransit('3', context));
    assert.deepEqual(textsOf((await source.read(signal)).data), { a: '1', b: '3' });
    assert.equal(proxy.count(/decrypt\/wrapping 200/), 2);
    const { batch_input: sent } = JSON.parse(proxy.bodies.at(-1) ?? '{}') as { batch_input: readonly unknown[] };
    assert.equal(sent.length, 1);
  });

  it('that one value spoils are refused by the name of that value, and its text is in no error', limit, async (t) => {
    const spoiled = (await wrapInTransit('2')).replace(/.{6}$/, 'AAAA==');
    const { path } = await write(t, { a: await wrapInTransit('1'), b: spoiled, c: 'vault:v9:AAAA' });
    const source = await build(t, config(path), await services());
    const error: unknown = await source.read(signal).catch((thrown: unknown) => thrown);
    assert.ok(codeIs('unwrap-refused', /^b of files:.*unwrap with transit\/keys\/wrapping/)(error));
    assert.deepEqual(
      (error as PaycertError).others.map(({ field }) => field),
      ['c'],
    );
    assert.ok(!JSON.stringify([(error as PaycertError).message]).includes(spoiled));
  });

  it('say which key is not there, and which policy is missing', limit, async (t) => {
    const { path } = await write(t, { a: await wrapInTransit('1') });
    const absent = await build(t, config(path, { with: { hashivault: { key: 'absent' } } }), await services());
    await assert.rejects(absent.read(signal), codeIs('key-missing', /unwrap with transit\/keys\/absent/));
    await bao().policy('other', { 'transit/decrypt/other': ['update'] });
    const forbidden = await build(t, config(path), await services(bao().url, ['other']));
    await assert.rejects(forbidden.read(signal), codeIs('origin-forbidden', /unwrap with .*no policy of our token/));
    await bao().policy('exact', { 'transit/decrypt/wrapping': ['update'] });
    const exact = await build(t, config(path), await services(bao().url, ['exact']));
    assert.deepEqual(textsOf((await exact.read(signal)).data), { a: '1' });
  });

  it('stay current while Vault is sealed and nothing changes, and what changes meanwhile follows', limit, async (t) => {
    const { path } = await write(t, { context: await wrapInTransit(content('0')) });
    const source = await build(t, config(path), await services());
    const watching = new Watching(t, { source: () => source });
    await watching.untilSignsWith('0');
    const next = await wrapInTransit(content('1'));
    await bao().seal();
    const unchanged = await source.read(signal);
    assert.deepEqual(textsOf(unchanged.data), { context: content('0') });
    const failed = watching.recorder.next('source-failed');
    await writeFile(join(path, 'context'), next);
    assert.deepEqual([(await failed).error.code, watching.signsWith], ['origin-sealed', '0']);
    await Promise.all([watching.untilSignsWith('1'), bao().unseal()]);
  });
});
