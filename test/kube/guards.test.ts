// What ends a watch that stands and does not tell.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { PaycertError } from '../../src/errors.ts';
import { guardEvents, guardSilence, Missed } from '../../src/kube/guards.ts';
import type { Kept } from '../../src/kube/listing.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { RelistTimer } from '../../src/kube/relist-timer.ts';
import { FakeClock } from '../support/fake-clock.ts';

const collection = { resource: { group: '', version: 'v1', plural: 'secrets' }, namespace: 'pay', name: 'a' };

describe('silence', () => {
  /** Time passes by so much, in steps of ten seconds: as often as it looks. */
  async function pass(clock: FakeClock, milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 10_000) {
      const again = clock.nextSleep();
      clock.advance(10_000);
      await Promise.race([again, setImmediate()]);
    }
  }

  it('is a dead connection after 90 seconds, and not before', async () => {
    const clock = new FakeClock();
    const guard = guardSilence({ collection, clock }, () => 0, new AbortController().signal);
    await pass(clock, 80_000);
    assert.equal(clock.sleeping.length, 1);
    const ended = assert.rejects(guard, {
      code: 'cluster-unreachable',
      message: 'watch secrets "a" in namespace "pay": the API server cannot be reached (nothing for 90 s)',
    });
    await pass(clock, 10_000);
    await ended;
  });

  it('begins with the last event', async () => {
    const clock = new FakeClock();
    let seen = 0;
    const guard = guardSilence({ collection, clock }, () => seen, new AbortController().signal);
    seen += 1;
    await pass(clock, 90_000);
    assert.equal(clock.sleeping.length, 1);
    const ended = assert.rejects(guard, { code: 'cluster-unreachable' });
    await pass(clock, 10_000);
    await ended;
  });

  it('is none while a bookmark comes now and then', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    let seen = 0;
    const guard = guardSilence({ collection, clock }, () => seen, stop.signal);
    for (let i = 0; i < 5; i += 1) {
      seen += 1;
      await pass(clock, 80_000);
    }
    stop.abort();
    await guard;
  });
});

describe('a list beside the watch', () => {
  const kept = (resourceVersion: string): Kept<undefined> => ({ uid: 'u', resourceVersion, value: undefined });

  /** The answers of a list, one after the other, beside a cache that the test changes. */
  function start(answers: (string | PaycertError)[]) {
    const clock = new FakeClock();
    const stop = new AbortController();
    const cache = new Map([['pay/a', kept('1')]]);
    const list: KubeClient['list'] = async () => {
      const answer = answers.shift() ?? '1';
      if (answer instanceof PaycertError) throw answer;
      const item = { metadata: { name: 'a', namespace: 'pay', uid: 'u', resourceVersion: answer } };
      return { items: [item], resourceVersion: answer, continue: '' };
    };
    const { signal: lifetime } = stop;
    const timer = new RelistTimer({ clock, random: () => 1, relistMilliseconds: 50_000 });
    timer.spread(lifetime);
    const options = { client: async () => ({ list }), collection, clock, timer, lifetime };
    const guard = guardEvents(options, () => cache, lifetime);
    const elapse = async (milliseconds: number) => {
      assert.equal(clock.sleeping[0], milliseconds);
      clock.advance(milliseconds);
      await setImmediate();
    };
    return { guard, cache, elapse, stop };
  }

  it('that is ahead of it gives an event three seconds to arrive', async () => {
    const { guard, cache, elapse, stop } = start(['2', '2']);
    await elapse(50_000);
    cache.set('pay/a', kept('2'));
    await elapse(3000);
    await elapse(47_000);
    stop.abort();
    await guard;
  });

  it('that is still ahead of it then has found what was missed', async () => {
    const { guard, elapse } = start(['2']);
    const missed = assert.rejects(guard, Missed);
    await elapse(50_000);
    await elapse(3000);
    await missed;
  });

  it('does not end a watch because the server is busy', async () => {
    const { guard, elapse, stop } = start([new PaycertError('cluster-failing', 'busy'), '1']);
    await elapse(50_000);
    await elapse(50_000);
    stop.abort();
    await guard;
  });

  it('ends it when it is forbidden', async () => {
    const { guard, elapse } = start([new PaycertError('cluster-forbidden', 'no')]);
    const refused = assert.rejects(guard, { code: 'cluster-forbidden' });
    await elapse(50_000);
    await refused;
  });
});
