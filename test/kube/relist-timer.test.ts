// When to list beside a watch.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RelistTimer } from '../../src/kube/relist-timer.ts';
import { FakeClock } from '../support/fake-clock.ts';

function start(random: () => number) {
  const clock = new FakeClock();
  const timer = new RelistTimer({ clock, random, relistMilliseconds: 100_000 });
  return { clock, timer };
}

describe('a list beside the watch', () => {
  const { signal } = new AbortController();

  it('is due at the same time however often the watch is renewed before', async () => {
    const { clock, timer } = start(() => 1);
    timer.spread(signal);
    for (let renewals = 0; renewals < 9; renewals += 1) {
      const renewed = new AbortController();
      const waiting = timer.due(renewed.signal);
      clock.advance(10_000);
      renewed.abort();
      await waiting;
      assert.deepEqual(clock.sleeping, [100_000 - (renewals + 1) * 10_000]);
    }
    clock.advance(10_000);
    await timer.due(signal);
  });

  it('comes after any part of the period when everything was listed, and about a period after the one before', () => {
    const parts = [0.1, 0.6, 0, 1];
    const { clock, timer } = start(() => parts.shift() ?? 1);
    timer.spread(signal);
    assert.deepEqual(clock.sleeping, [10_000]);
    timer.spread(signal);
    assert.deepEqual(clock.sleeping, [60_000]);
    timer.restart(signal);
    assert.deepEqual(clock.sleeping, [80_000]);
    timer.restart(signal);
    assert.deepEqual(clock.sleeping, [100_000]);
  });

  it('leaves no timer behind when watching ends', async () => {
    const { clock, timer } = start(() => 1);
    const stop = new AbortController();
    timer.spread(stop.signal);
    const waiting = timer.due(new AbortController().signal);
    stop.abort();
    await waiting;
    assert.deepEqual(clock.sleeping, []);
  });
});
