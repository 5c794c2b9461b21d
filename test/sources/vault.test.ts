// A secret of Vault as a source, against a real OpenBao: one path is one set, and no failure of the server loses the last good one.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import { systemClock } from '../../src/clock.ts';
import type { SourceConfig } from '../../src/config/schema/source.ts';
import { PaycertError } from '../../src/errors.ts';
import { buildCredential } from '../../src/running/build.ts';
import { Origins } from '../../src/running/origins.ts';
import type { Source } from '../../src/sources/source.ts';
import { noBao, useBao } from '../support/bao.ts';
import { textsOf } from '../support/directories.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';
import { Watching } from '../support/watching.ts';

type Config = NonNullable<SourceConfig['vault']>;

const limit = { timeout: 300_000, skip: noBao };
const signal = new AbortController().signal;
const bao = useBao();
const surroundings = { clock: systemClock, observe: () => undefined };

const build = (config: Config, origins = new Origins(surroundings)): Source =>
  buildCredential(
    { name: 'shop', provider: { wechatpay: { merchantId: '1900000001' } }, source: { vault: config } },
    { ...surroundings, environment: {}, origins },
  ).source;

const content = (keyId: string) => ({ context: JSON.stringify({ keyId }) });
let paths = 0;

/** A path of its own for each test, read by the owner unless the test says otherwise. */
async function configure(more: Partial<Config> = {}): Promise<Config> {
  const auth = more.auth ?? { token: { tokenFile: await bao().tokenFile() } };
  return { address: bao().url, path: `shop/${String(paths++)}`, poll: '50ms', ...more, auth };
}

const watch = (t: TestContext, config: Config) => new Watching(t, { source: () => build(config) });

const codeIs = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof PaycertError && error.code === code && message.test(error.message);

describe('a secret of Vault', () => {
  it('is read with its version, and the time it was written', limit, async () => {
    const config = await configure();
    await bao().write(config.path, { apiv3_key: 'one' });
    await bao().write(config.path, { apiv3_key: 'two', 'retired/old.pem': 'o' });
    const source = build(config);
    const { data, version, changedAt, mayBeTorn = false } = await source.read(signal);
    assert.deepEqual(textsOf(data), { apiv3_key: 'two', 'retired/old.pem': 'o' });
    assert.deepEqual([version, mayBeTorn], ['2', false]);
    assert.ok(Math.abs(changedAt!.getTime() - Date.now()) < 30_000);
    assert.equal(source.name, `vault:secret/${config.path}`);
  });

  it('is given under the names configured', limit, async () => {
    const config = await configure({ keys: { apiv3_key: 'current' } });
    await bao().write(config.path, { current: 'k' });
    assert.deepEqual(textsOf((await build(config).read(signal)).data), { apiv3_key: 'k' });
  });

  it('may have keys that are named as what every object has, and none that are not text', limit, async () => {
    const config = await configure();
    await bao().write(config.path, { constructor: 'c' });
    assert.deepEqual(textsOf((await build(config).read(signal)).data), { constructor: 'c' });
    await bao().write(config.path, { apiv3_key: { nested: 1 } });
    await assert.rejects(build(config).read(signal), codeIs('origin-value-malformed', /^apiv3_key is not text$/));
  });

  it('of an engine without versions is read and followed too', limit, async (t) => {
    const config = await configure({ engine: 1, mount: 'plain' });
    await assert.rejects(
      build(config).read(signal),
      codeIs('origin-missing', /^read plain\/shop\/\d+: there is nothing/),
    );
    const write = (keyId: string) => bao().owner('POST', `plain/${config.path}`, content(keyId));
    await write('1');
    const watching = watch(t, config);
    await watching.untilSignsWith('1');
    await watching.change(() => write('2'), '2');
  });

  it('in a namespace is read there, named by the header or by the first part of the mount', limit, async () => {
    await bao().owner('POST', 'sys/namespaces/team');
    const inside = { 'X-Vault-Namespace': 'team' };
    await bao().owner('POST', 'sys/mounts/kv', { type: 'kv', options: { version: '1' } }, inside);
    await bao().owner('POST', 'kv/shop', { k: 'v' }, inside);
    const auth = { token: { tokenFile: await bao().tokenFile() } };
    for (const where of [{ namespace: 'team', mount: 'kv' }, { mount: 'team/kv' }]) {
      const config = await configure({ auth, path: 'shop', engine: 1, ...where });
      assert.deepEqual(textsOf((await build(config).read(signal)).data), { k: 'v' });
    }
  });

  it('of a version that it does not have says so, and which is the newest', limit, async () => {
    const config = await configure({ version: 99 });
    await assert.rejects(build(config).read(signal), codeIs('origin-missing', /there is nothing \(404\)$/));
    await bao().write(config.path, { k: 'v' });
    await assert.rejects(
      build(config).read(signal),
      codeIs('origin-missing', /^read secret\/data\/.*: it has no version 99, the newest is 1; change `version`$/),
    );
  });

  it('of a pinned version that is gone says that the pin is to change', limit, async () => {
    const config = await configure({ version: 1 });
    await bao().write(config.path, { k: 'v' });
    await bao().owner('PUT', `secret/destroy/${config.path}`, { versions: [1] });
    await assert.rejects(
      build(config).read(signal),
      codeIs('origin-deleted', /version 1 has been destroyed; change `version`, which pins it$/),
    );
  });

  it('in a namespace that is not there says what to compare, and blames no token and no ids', limit, async () => {
    const appRole = await bao().appRole('nowhere', {});
    for (const auth of [{ token: { tokenFile: await bao().tokenFile() } }, { appRole }]) {
      const config = await configure({ namespace: 'nowhere', auth });
      await assert.rejects(
        build(config).read(signal),
        codeIs(
          'origin-unauthenticated',
          /: there is no such place \(404\); compare `address`, `namespace` and `auth`$/,
        ),
      );
    }
  });

  it('behind https:// of a port without TLS says that there is none', limit, async () => {
    const config = await configure({ address: bao().url.replace('http:', 'https:') });
    await assert.rejects(
      build(config).read(signal),
      codeIs(
        'origin-unreachable',
        /cannot be reached \(EPROTO: it does not speak TLS, or no version of it that we do\)$/,
      ),
    );
  });

  it('of an engine of the other version hints at what to compare', limit, async () => {
    for (const more of [{ mount: 'plain' }, { engine: 1 }] as const) {
      const error: unknown = await build(await configure(more))
        .read(signal)
        .catch((thrown: unknown) => thrown);
      assert.ok(error instanceof PaycertError);
      assert.match(error.hint, /`mount` and `engine`/);
    }
  });

  it('says which mount is wrong', limit, async () => {
    const config = await configure({ mount: 'nowhere' });
    await assert.rejects(build(config).read(signal), codeIs('origin-missing', /read nowhere\/data.*no secrets engine/));
  });
});

describe('a followed secret of Vault', () => {
  it('is current after every write, and each version is read once', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    // What is read while it is asked about again is read twice: a busy machine takes longer than a short poll.
    const config = await configure({ address: proxy.url, poll: '2s' });
    await bao().write(config.path, content('0'));
    const watching = watch(t, config);
    await watching.untilSignsWith('0');
    for (const id of ['1', '2', '3']) await watching.change(() => bao().write(config.path, content(id)), id);
    await proxy.until(/metadata/, proxy.count(/metadata/) + 3);
    assert.equal(proxy.count(/\/data\//), 4);
    assert.deepEqual(watching.recorder.of('found-by-poll'), []);
    assert.deepEqual(watching.recorder.of('source-failed'), []);
  });

  it('that comes into being later is current at once', limit, async (t) => {
    const config = await configure();
    const watching = watch(t, config);
    assert.equal((await watching.recorder.next('source-failed')).error.code, 'origin-missing');
    await watching.change(() => bao().write(config.path, content('1')), '1');
  });

  it(
    'that is deleted or destroyed is not missing: the last good stays, and the reason says which version',
    limit,
    async (t) => {
      const config = await configure();
      await bao().write(config.path, content('0'));
      const watching = watch(t, config);
      await watching.untilSignsWith('0');
      for (const [act, pattern] of [
        [() => bao().owner('DELETE', `secret/data/${config.path}`), /version 1 has been deleted at \d{4}-/],
        [() => bao().owner('PUT', `secret/destroy/${config.path}`, { versions: [1] }), /version 1 has been destroyed$/],
      ] as const) {
        const failed = watching.recorder.next('source-failed', ({ error }) => pattern.test(error.message));
        await act();
        assert.equal((await failed).error.code, 'origin-deleted');
        assert.equal(watching.signsWith, '0');
      }
      await watching.change(() => bao().write(config.path, content('1')), '1');
    },
  );

  it('with a pinned version stays at it, and says when that one is deleted', limit, async (t) => {
    const config = await configure({ version: 1 });
    await bao().write(config.path, content('0'));
    const watching = watch(t, config);
    await watching.untilSignsWith('0');
    await bao().write(config.path, content('1'));
    const failed = watching.recorder.next('source-failed');
    await bao().owner('PUT', `secret/delete/${config.path}`, { versions: [1] });
    assert.equal((await failed).error.code, 'origin-deleted');
    assert.equal(watching.signsWith, '0');
    const recovered = watching.recorder.next('unchanged', ({ isRecovery }) => isRecovery);
    await bao().owner('PUT', `secret/undelete/${config.path}`, { versions: [1] });
    await recovered;
  });

  it('stays current while Vault is sealed, says so, and is followed when it is unsealed', limit, async (t) => {
    const config = await configure();
    await bao().write(config.path, content('0'));
    const watching = watch(t, config);
    await watching.untilSignsWith('0');
    const failed = watching.recorder.next('source-failed');
    await bao().seal();
    const { error } = await failed;
    assert.deepEqual([error.code, watching.signsWith], ['origin-sealed', '0']);
    assert.match(error.message, /Vault is sealed \(503\)$/);
    const recovered = watching.recorder.next('unchanged', ({ isRecovery }) => isRecovery);
    await bao().unseal();
    await recovered;
    await watching.change(() => bao().write(config.path, content('1')), '1');
  });

  it('survives the end and the return of the server', limit, async (t) => {
    const config = await configure();
    await bao().write(config.path, content('0'));
    const watching = watch(t, config);
    await watching.untilSignsWith('0');
    const failed = watching.recorder.next('source-failed', ({ error }) => error.code === 'origin-unreachable');
    await bao().stop();
    assert.match((await failed).error.message, /Vault cannot be reached \(ECONN/);
    assert.equal(watching.signsWith, '0');
    await bao().restart();
    await watching.change(() => bao().write(config.path, content('1')), '1');
  });

  it('survives a network that is cut, in the midst of questions, without another log-in', limit, async (t) => {
    await bao().policy('cut', { 'secret/data/shop/cut': ['read'], 'secret/metadata/shop/cut': ['read'] });
    const appRole = await bao().appRole('cut', { token_ttl: '1h' });
    const proxy = await RecordingProxy.start(t, bao().url);
    const config = await configure({ address: proxy.url, path: 'shop/cut', auth: { appRole } });
    await bao().write(config.path, content('0'));
    const watching = watch(t, config);
    await watching.untilSignsWith('0');
    for (const id of ['1', '2', '3']) {
      await proxy.until(/metadata/, proxy.count(/metadata/) + 1);
      proxy.cut();
      await watching.change(() => bao().write(config.path, content(id)), id);
    }
    assert.equal(proxy.count(/login/), 1);
  });

  it('stays current while requests are limited, and says so', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    const config = await configure({ address: proxy.url });
    await bao().write(config.path, content('0'));
    const watching = watch(t, config);
    await watching.untilSignsWith('0');
    const failed = watching.recorder.next('source-failed');
    proxy.instead = () => ({ status: 429, body: '{"errors":["request path quota exceeded"]}' });
    assert.match((await failed).error.message, /limits how many requests it takes \(429\)$/);
    proxy.instead = () => undefined;
    await watching.change(() => bao().write(config.path, content('1')), '1');
  });
});

describe('our token', () => {
  const readOnly = (path: string) => ({
    [`secret/data/${path}`]: ['read'],
    [`secret/metadata/${path}`]: ['read'],
  });

  it('is renewed, and replaced before the end that no renewal moves: no question is ever refused', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    const name = 'max-ttl';
    const path = 'shop/max-ttl';
    await bao().policy(name, readOnly(path));
    const appRole = await bao().appRole(name, { token_ttl: '9s', token_max_ttl: '15s' });
    await bao().write(path, content('0'));
    const watching = watch(t, await configure({ address: proxy.url, path, auth: { appRole } }));
    await watching.untilSignsWith('0');
    await proxy.until(/approle\/login 200/, 2);
    // Twice where the machine has time for it.
    assert.ok(proxy.count(/renew-self 200/) >= 1);
    assert.equal(proxy.count(/ 403$/), 0);
    await watching.change(() => bao().write(path, content('1')), '1');
    assert.deepEqual(watching.recorder.of('source-failed'), []);
  });

  it('that is revoked is replaced by another log-in, and nothing fails', limit, async (t) => {
    const name = 'revoked';
    const path = 'shop/revoked';
    await bao().policy(name, readOnly(path));
    const appRole = await bao().appRole(name, { token_ttl: '1h' });
    await bao().write(path, content('0'));
    const watching = watch(t, await configure({ path, auth: { appRole } }));
    await watching.untilSignsWith('0');
    await bao().owner('PUT', 'sys/leases/revoke-prefix/auth/approle');
    await watching.change(() => bao().write(path, content('1')), '1');
    assert.deepEqual(watching.recorder.of('source-failed'), []);
  });

  it('whose permission is withdrawn says what is missing, without another log-in', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    const name = 'withdrawn';
    const path = 'shop/withdrawn';
    await bao().policy(name, readOnly(path));
    const appRole = await bao().appRole(name, { token_ttl: '1h' });
    await bao().write(path, content('0'));
    const watching = watch(t, await configure({ address: proxy.url, path, auth: { appRole } }));
    await watching.untilSignsWith('0');
    const failed = watching.recorder.next('source-failed');
    await bao().policy(name, { 'secret/data/other': ['read'] });
    const { error } = await failed;
    assert.equal(error.code, 'origin-forbidden');
    assert.match(error.message, /^read secret\/data\/shop\/withdrawn: no policy of our token allows it/);
    assert.equal(watching.signsWith, '0');
    assert.equal(proxy.count(/login/), 1);
    await bao().policy(name, readOnly(path));
    await watching.change(() => bao().write(path, content('1')), '1');
  });

  it('that may not read metadata follows changes all the same', limit, async (t) => {
    const name = 'data-only';
    const path = 'shop/data-only';
    await bao().policy(name, { [`secret/data/${path}`]: ['read'] });
    await bao().write(path, content('0'));
    const watching = watch(t, await configure({ path, auth: { token: { tokenFile: await bao().tokenFile([name]) } } }));
    await watching.untilSignsWith('0');
    await watching.change(() => bao().write(path, content('1')), '1');
    assert.deepEqual(watching.recorder.of('source-failed'), []);
  });

  it('comes from a JWT that is read again for each log-in', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const jwtFor = (audience: string) => {
      const now = Math.floor(Date.now() / 1000);
      const claims = { sub: 'pay', aud: audience, iat: now, nbf: now, exp: now + 600 };
      const text = `${part({ alg: 'RS256' })}.${part(claims)}`;
      return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
    };
    await bao().owner('POST', 'sys/auth/jwt', { type: 'jwt' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    await bao().owner('POST', 'auth/jwt/config', { jwt_validation_pubkeys: [pem] });
    await bao().policy('jwt', readOnly('shop/jwt'));
    // The last third of its life is more than a busy machine takes for a log-in.
    const role = { role_type: 'jwt', user_claim: 'sub', bound_audiences: ['vault'], token_policies: 'jwt', token_type: 'batch', token_ttl: '12s' }; // prettier-ignore
    await bao().owner('POST', 'auth/jwt/role/pay', role);
    await bao().write('shop/jwt', content('0'));
    const wrong = { role: 'pay', tokenFile: await bao().file(jwtFor('other')) };
    const config = await configure({ address: proxy.url, path: 'shop/jwt', auth: { jwt: wrong } });
    await assert.rejects(
      build(config).read(signal),
      codeIs(
        'origin-unauthenticated',
        /^log in at auth\/jwt: Vault does not accept the role "pay" with the token in .*: its audience is another \(4/,
      ),
    );
    const tokenFile = await bao().file(jwtFor('vault'));
    const watching = watch(t, { ...config, auth: { jwt: { role: 'pay', tokenFile } } });
    await watching.untilSignsWith('0');
    // A batch token cannot be renewed: it is replaced at two thirds of its life.
    await proxy.until(/jwt\/login 200/, 2);
    assert.deepEqual([proxy.count(/renew-self/), proxy.count(/GET .* 403$/)], [0, 0]);
  });

  it('in a file is read again when it has ended, and until then refused with the path of the file', limit, async () => {
    const tokenFile = await bao().file('s.notatoken');
    const config = await configure({ auth: { token: { tokenFile } } });
    await bao().write(config.path, { k: 'v' });
    const source = build(config);
    await assert.rejects(
      source.read(signal),
      codeIs('origin-unauthenticated', /does not accept the one in .*\(403\)$/),
    );
    await writeFile(tokenFile, 'two words');
    const other = build(config);
    await assert.rejects(other.read(signal), codeIs('origin-unauthenticated', /holds no token/));
    await writeFile(tokenFile, await readFile(await bao().tokenFile()));
    assert.deepEqual(textsOf((await build(config).read(signal)).data), { k: 'v' });
  });

  it('is shown by nothing that prints a session, a source or an error', limit, async () => {
    const tokenFile = await bao().tokenFile();
    const text = (await readFile(tokenFile)).toString();
    const config = await configure({ auth: { token: { tokenFile } }, path: 'shop/absent' });
    const origins = new Origins(surroundings);
    const session = origins.vault(config);
    const error: unknown = await build(config, origins)
      .read(signal)
      .catch((thrown: unknown) => thrown);
    for (const thing of [session, origins, error]) {
      assert.ok(!inspect(thing, { depth: 20, showHidden: true }).includes(text));
      assert.ok(!JSON.stringify(thing).includes(text));
    }
  });
});

describe('a thousand secrets of one Vault', () => {
  it('share one log-in and eight connections', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    await bao().policy('thousand', { 'secret/data/many': ['read'] });
    const appRole = await bao().appRole('thousand', { token_ttl: '1h' });
    await bao().write('many', { k: 'v' });
    const config = await configure({ address: proxy.url, path: 'many', auth: { appRole } });
    const origins = new Origins(surroundings);
    const sources = Array.from({ length: 1000 }, (_, index) =>
      build({ ...config, keys: { [`name-${String(index)}`]: 'k' } }, origins),
    );
    const all = await Promise.all(sources.map((source) => source.read(signal)));
    assert.equal(all.length, 1000);
    assert.deepEqual([proxy.count(/login/), proxy.count(/data\/many 200/), proxy.exchanges.length], [1, 1000, 1001]);
    assert.ok(proxy.mostSockets <= 8, String(proxy.mostSockets));
  });

  it('ask a Vault that is down once between them, and not once each', limit, async (t) => {
    const proxy = await RecordingProxy.start(t, bao().url);
    proxy.instead = () => ({ status: 503, body: '{"errors":["Vault is sealed"]}' });
    const config = await configure({ address: proxy.url });
    const origins = new Origins(surroundings);
    const read = () =>
      build(config, origins)
        .read(signal)
        .catch((error: unknown) => error as PaycertError);
    await read();
    const errors = await Promise.all(Array.from({ length: 1000 }, read));
    assert.ok(errors.every((error) => error instanceof PaycertError && error.code === 'origin-sealed'));
    assert.ok(proxy.exchanges.length <= 16, String(proxy.exchanges.length));
  });
});
