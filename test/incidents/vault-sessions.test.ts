// Incidents of clients of Vault, against a real OpenBao: they die with their token, do not come back after a seal, or ask for what only some editions have.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import type { SourceConfig } from '../../src/config/schema/source.ts';
import { buildCredential } from '../../src/running/build.ts';
import { noBao, useBao } from '../support/bao.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';
import { Watching } from '../support/watching.ts';

type Auth = NonNullable<SourceConfig['vault']>['auth'];

const limit = { timeout: 300_000, skip: noBao };
const bao = useBao();
const content = (keyId: string) => ({ context: JSON.stringify({ keyId }) });
let roles = 0;

/** A role that may read one path, with the two files that log in as it; what it holds is signed with as `0`. */
async function makeRole(settings: object) {
  const name = `incident-${String(roles++)}`;
  const rules = { [`secret/data/${name}`]: ['read'], [`secret/metadata/${name}`]: ['read'] };
  await bao().policy(name, rules);
  const write = (keyId: string) => bao().write(name, content(keyId));
  await write('0');
  return { path: name, appRole: await bao().appRole(name, settings), write };
}

/** Follows the path through a proxy that counts. */
async function follow(t: TestContext, path: string, auth: Auth, poll = '50ms') {
  const proxy = await RecordingProxy.start(t, bao().url);
  const vault = { address: proxy.url, path, poll, auth };
  const source = () =>
    buildCredential(
      { name: 'shop', provider: { wechatpay: { merchantId: '1900000001' } }, source: { vault } },
      { clock: systemClock, observe: () => undefined, environment: {} },
    ).source;
  const watching = new Watching(t, { source });
  await watching.untilSignsWith('0');
  return { proxy, watching };
}

/** Follows the path of a new role, as that role. */
async function followRole(t: TestContext, settings: object, poll?: string) {
  const role = await makeRole(settings);
  return { ...role, ...(await follow(t, role.path, { appRole: role.appRole }, poll)) };
}

/** The next write is current, and no failure came before it. */
async function staysCurrent({ watching, write }: Awaited<ReturnType<typeof followRole>>) {
  await watching.change(() => write('1'), '1');
  assert.deepEqual(watching.recorder.of('source-failed'), []);
}

describe('tokens of Vault', () => {
  it(
    'renewals end with a 403 after some that worked (vault-secrets-operator#105, vault-secrets-operator#94, vault#3033): the token is replaced before',
    limit,
    async (t) => {
      const role = await followRole(t, { token_ttl: '10s', token_max_ttl: '15s' });
      await role.proxy.until(/approle\/login 200/, 2);
      assert.equal(role.proxy.count(/ 403$/), 0);
      await staysCurrent(role);
    },
  );

  it(
    'the lease is capped below what the role says (vault-secrets-operator#131): what was granted counts',
    limit,
    async (t) => {
      await bao().owner('POST', 'sys/auth/approle/tune', { max_lease_ttl: '9s' });
      t.after(() => bao().owner('POST', 'sys/auth/approle/tune', { max_lease_ttl: '768h' }));
      const role = await followRole(t, { token_ttl: '24h' });
      await role.proxy.until(/approle\/login 200/, 3);
      await staysCurrent(role);
    },
  );

  it(
    'a token that no renewal lengthens (spring-vault#176, secret-provider#40): its maximum is no outage',
    limit,
    async (t) => {
      const role = await followRole(t, { token_ttl: '9s', token_max_ttl: '9s' });
      await role.proxy.until(/approle\/login 200/, 3);
      await staysCurrent(role);
    },
  );

  it(
    'what logs in is read once at the start (spring-cloud-vault#339, envconsul#309): each log-in reads it again',
    limit,
    async (t) => {
      const role = await followRole(t, { token_ttl: '9s', token_max_ttl: '9s', secret_id_num_uses: 1 });
      const { path, appRole } = role;
      const { data } = await bao().owner('POST', `auth/approle/role/${path}/secret-id`);
      await writeFile(appRole.secretIdFile, (data as { secret_id: string }).secret_id);
      await role.proxy.until(/approle\/login 200/, 2);
      await staysCurrent(role);
    },
  );

  it(
    'a token that cannot be renewed (vault-secrets-operator#96): it is used as it is, and nobody asks to renew it',
    limit,
    async (t) => {
      const { path, write } = await makeRole({});
      const tokenFile = await bao().tokenFile([path], { renewable: false, ttl: '1h' });
      const { proxy, watching } = await follow(t, path, { token: { tokenFile } });
      await watching.change(() => write('1'), '1');
      assert.equal(proxy.count(/renew-self/), 0);
    },
  );

  it(
    'a renewal that fails while Vault is away (spring-vault#181): it is tried again, and outlived',
    limit,
    async (t) => {
      const { proxy, watching, write } = await followRole(t, { token_ttl: '6s', token_max_ttl: '1h' });
      proxy.instead = (asked) => (asked.includes('renew-self') ? { status: 503, body: '{"errors":[]}' } : undefined);
      await proxy.until(/renew-self 503/, 1);
      proxy.instead = () => undefined;
      await proxy.until(/(renew-self|approle\/login) 200/, 2);
      await watching.change(() => write('1'), '1');
    },
  );
});

describe('secrets of Vault', () => {
  it(
    'syncing does not resume after a seal (vault-secrets-operator#840): the next write is current, without a restart',
    limit,
    async (t) => {
      const { proxy, watching, write } = await followRole(t, { token_ttl: '1h' });
      for (const keyId of ['1', '2']) {
        const failed = watching.recorder.next('source-failed');
        await bao().seal();
        assert.equal((await failed).error.code, 'origin-sealed');
        await bao().unseal();
        await watching.change(() => write(keyId), keyId);
      }
      assert.equal(proxy.count(/approle\/login 200/), 1);
    },
  );

  it(
    'no notification of a change without Enterprise (vault#3687, external-secrets#3304, vault-secrets-operator#771): each write is current by one question, and one read',
    limit,
    async (t) => {
      // What is read while it is asked about again is read twice: a busy machine takes longer than a short poll.
      const { proxy, watching, write } = await followRole(t, { token_ttl: '1h' }, '2s');
      for (const keyId of ['1', '2', '3']) await watching.change(() => write(keyId), keyId);
      assert.equal(proxy.count(/\/data\//), 4);
      assert.equal(proxy.count(/events/), 0);
    },
  );
});
