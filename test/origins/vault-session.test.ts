// A session at a real OpenBao whose machine's time is set: leases last as long as time passes, whatever the clock on the wall says.
import assert from 'node:assert/strict';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import { Origins } from '../../src/running/origins.ts';
import { noBao, useBao } from '../support/bao.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';

const limit = { timeout: 300_000, skip: noBao };
const signal = new AbortController().signal;
const bao = useBao();
const hour = 3_600_000;
const question = { method: 'GET', path: '/v1/auth/token/lookup-self', what: 'look up' } as const;

describe('a session of Vault', () => {
  for (const [direction, jump] of [
    ['forward', hour],
    ['back', -hour],
  ] as const)
    it(
      `is renewed when its time has passed, and neither before nor in a loop when the clock is set ${direction} by an hour`,
      limit,
      async (t) => {
        const proxy = await RecordingProxy.start(t, bao().url);
        const name = `jump-${direction}`;
        await bao().policy(name, { 'secret/data/none': ['read'] });
        const appRole = await bao().appRole(name, { token_ttl: '1h', token_max_ttl: '24h' });
        const clock = new FakeClock(new Date());
        const session = new Origins({ clock, observe: () => undefined }).vault({
          address: proxy.url,
          auth: { appRole },
        });
        const sleeping = clock.nextSleep();
        using _ = session.keep();
        await sleeping;
        const again = clock.nextSleep();
        assert.equal((await session.ask(question, signal)).status, 200);
        assert.equal(await again, (hour * 2) / 3);

        for (let times = 0; times < 3; times += 1) {
          clock.jump(jump);
          assert.equal((await session.ask(question, signal)).status, 200);
        }
        clock.advance((hour * 2) / 3 - 1);
        assert.equal((await session.ask(question, signal)).status, 200);
        assert.deepEqual([proxy.count(/login/), proxy.count(/renew-self/)], [1, 0]);

        clock.advance(1);
        await proxy.until(/renew-self 200/, 1);
        assert.equal((await session.ask(question, signal)).status, 200);
        assert.deepEqual([proxy.count(/login/), proxy.count(/ 403$/)], [1, 0]);
      },
    );
});

describe('ids of an AppRole that Vault refuses', () => {
  const minute = 60_000;

  async function start(t: TestContext, name: string) {
    const proxy = await RecordingProxy.start(t, bao().url);
    await bao().policy(name, { 'secret/data/none': ['read'] });
    const appRole = await bao().appRole(name, { token_ttl: '1h' });
    const roleId = await readFile(appRole.roleIdFile, 'utf8');
    const secretId = await readFile(appRole.secretIdFile, 'utf8');
    const clock = new FakeClock(new Date());
    const session = new Origins({ clock, observe: () => undefined }).vault({ address: proxy.url, auth: { appRole } });
    const ask = async (): Promise<PaycertError | number> => {
      try {
        return (await session.ask(question, signal)).status;
      } catch (error) {
        if (error instanceof PaycertError) return error;
        throw error;
      }
    };
    return { proxy, ...appRole, roleId, secretId, clock, ask };
  }

  async function lock(roleId: string): Promise<void> {
    const body = JSON.stringify({ role_id: roleId, secret_id: 'wrong' });
    for (let times = 0; times < 5; times += 1)
      await fetch(`${bao().url}/v1/auth/approle/login`, { method: 'POST', body });
  }

  async function unlock(roleId: string): Promise<void> {
    const { data } = await bao().owner('GET', 'sys/auth');
    const { accessor } = (data as Record<string, { accessor: string }>)['approle/']!;
    await bao().owner('POST', `sys/locked-users/${accessor}/unlock/${roleId}`);
  }

  for (const file of ['roleIdFile', 'secretIdFile'] as const)
    it(`are sent once, and not again before a file changes: a wrong ${file}`, limit, async (t) => {
      const { proxy, clock, ask, secretId, ...files } = await start(t, `wrong-${file.toLowerCase()}`);
      const right = await readFile(files[file]);
      await writeFile(files[file], 'wrong');
      for (let times = 0; times < 16; times += 1) {
        const error = await ask();
        assert.ok(error instanceof PaycertError);
        assert.equal(error.code, 'origin-unauthenticated');
        assert.match(
          error.message,
          /does not accept the ids in .*; not asked again until one of the files changes or \d{4}-\S+Z$/,
        );
        assert.ok(!error.message.includes(secretId.trim()));
        clock.advance(minute);
        // Written again as it was: it has not changed.
        await writeFile(files[file], 'wrong\n');
      }
      assert.equal(proxy.count(/login/), 1);
      assert.ok((await ask()) instanceof PaycertError);
      assert.equal(proxy.count(/login/), 2);
      await writeFile(files[file], right);
      assert.equal(await ask(), 200);
      assert.equal(proxy.count(/login/), 3);
    });

  it('are not sent while a file holds none, and are at once when it does', limit, async (t) => {
    const { proxy, ask, secretIdFile, secretId } = await start(t, 'unwritten');
    for (const [text, code, message] of [
      ['', 'source-unreadable', / is empty: it holds no secret id$/],
      ['${SECRET_ID}', 'origin-unauthenticated', /is a placeholder/],
    ] as const) {
      await writeFile(secretIdFile, text);
      const error = await ask();
      assert.ok(error instanceof PaycertError);
      assert.deepEqual([error.code, error.field], [code, 'auth.appRole.secretIdFile']);
      assert.match(error.message, message);
    }
    assert.equal(proxy.count(/login/), 0);
    await writeFile(secretIdFile, secretId);
    assert.equal(await ask(), 200);
  });

  it('since the role is locked say that it may be, and are taken after it is unlocked', limit, async (t) => {
    const { proxy, clock, ask, roleId } = await start(t, 'locked');
    await lock(roleId);
    const error = await ask();
    assert.ok(error instanceof PaycertError);
    assert.match(
      error.message,
      /does not accept the ids in .*: the role may be locked, or no such method is mounted there \(403\); not asked again/,
    );
    await unlock(roleId);
    clock.advance(16 * minute);
    assert.equal(await ask(), 200);
    assert.equal(proxy.count(/login/), 2);
  });

  it(
    'since the role was locked are used at once where another secret id of the role is written, and not for a touch',
    limit,
    async (t) => {
      const { ask, roleId, secretIdFile } = await start(t, 'unlocked');
      await lock(roleId);
      assert.ok((await ask()) instanceof PaycertError);
      await unlock(roleId);
      await utimes(secretIdFile, new Date(), new Date());
      assert.ok((await ask()) instanceof PaycertError);
      const { data } = await bao().owner('POST', 'auth/approle/role/unlocked/secret-id');
      await writeFile(secretIdFile, (data as { secret_id: string }).secret_id);
      assert.equal(await ask(), 200);
    },
  );
});
