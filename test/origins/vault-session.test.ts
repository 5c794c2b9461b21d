// A session at a real OpenBao whose machine's time is set: leases last as long as time passes, whatever the clock on the wall says.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
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
