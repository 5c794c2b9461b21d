// Calls at an even pace: a burst goes at once, the rest one after the other, and no clock that jumps holds anybody up.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { RateLimit } from '../../src/kube/rate-limit.ts';
import { secrets } from '../../src/kube/resources.ts';
import { FakeClock } from '../support/fake-clock.ts';

const never = new AbortController().signal;

describe('a limit of ten calls a second', () => {
  it('lets a burst pass at once, and gives each later call a turn of its own', async () => {
    const clock = new FakeClock();
    const limit = new RateLimit({ perSecond: 10, burst: 3 }, clock);
    for (let call = 0; call < 3; call += 1) await limit.wait(never);
    void limit.wait(never);
    void limit.wait(never);
    assert.deepEqual(clock.sleeping, [100, 200]);
  });

  it('has its whole burst again after a quiet time, and no more', () => {
    const clock = new FakeClock();
    const limit = new RateLimit({ perSecond: 10, burst: 3 }, clock);
    const taken = () => Array.from({ length: 5 }, () => limit.tryTake()).filter(Boolean).length;
    assert.equal(taken(), 3);
    assert.equal(taken(), 0);
    clock.advance(60_000);
    assert.equal(taken(), 3);
  });

  it('takes nothing where it is not the turn of the caller', () => {
    const clock = new FakeClock();
    const limit = new RateLimit({ perSecond: 10, burst: 1 }, clock);
    assert.ok(limit.tryTake());
    for (let call = 0; call < 100; call += 1) assert.equal(limit.tryTake(), false);
    clock.advance(100);
    assert.ok(limit.tryTake());
  });

  it('keeps nobody waiting for a clock that was set back', async () => {
    const clock = new FakeClock('2026-11-22T00:00:00Z');
    const limit = new RateLimit({ perSecond: 10, burst: 1 }, clock);
    await limit.wait(never);
    clock.jump(-86_400_000);
    await limit.wait(never);
    assert.deepEqual(clock.sleeping, []);
  });

  it('holds back what a client asks of the API server', async () => {
    const clock = new FakeClock();
    let asked = 0;
    const find = () => {
      asked += 1;
      return Promise.reject(new PaycertError('cluster-unreachable', 'there is no cluster'));
    };
    const client = new KubeClient(find, { limit: new RateLimit({ perSecond: 10, burst: 1 }, clock) });
    const get = () => client.get({ resource: secrets, namespace: 'pay', name: 'wechat-main' }, never);
    const waits = clock.nextSleep();
    const calls = [get(), get()].map((call) => assert.rejects(call, { code: 'cluster-unreachable' }));
    await Promise.all([calls[0], waits]);
    assert.equal(asked, 1);
    clock.advance(100);
    await calls[1];
    assert.equal(asked, 2);
  });

  it('ends a wait on abort', async () => {
    const clock = new FakeClock();
    const limit = new RateLimit({ perSecond: 10, burst: 1 }, clock);
    await limit.wait(never);
    await limit.wait(AbortSignal.abort());
  });
});
