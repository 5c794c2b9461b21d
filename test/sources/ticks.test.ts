// Ticks: one at the start, then one per burst of notifications, or per poll when there are none.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ticks } from '../../src/sources/ticks.ts';
import { FakeClock } from '../support/fake-clock.ts';

async function start(settleMilliseconds = 0) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const ticks = new Ticks({ clock, pollMilliseconds: 10_000, settleMilliseconds: () => settleMilliseconds });
  const iterator = ticks.read(stop.signal);
  assert.equal((await iterator.next()).value, 'start');
  return { clock, stop, ticks, next: async () => (await iterator.next()).value, iterator };
}

describe('ticks', () => {
  it('come at every poll when nothing is heard', async () => {
    const { clock, next } = await start();
    for (let i = 0; i < 3; i += 1) {
      const tick = next();
      clock.advance(10_000);
      assert.equal(await tick, 'poll');
    }
  });

  it('come at once with a notification of an atomic writer', async () => {
    const { ticks, next } = await start();
    const tick = next();
    ticks.notify();
    assert.equal(await tick, 'event');
  });

  it('come once for all notifications that arrived while nobody asked', async () => {
    const { clock, ticks, next } = await start();
    ticks.notify();
    ticks.notify();
    assert.equal(await next(), 'event');
    const tick = next();
    clock.advance(10_000);
    assert.equal(await tick, 'poll');
  });

  it('wait until a writer that is not atomic is quiet', async () => {
    const { clock, ticks, next } = await start(50);
    let isThere = false;
    const tick = next().then((value) => ((isThere = true), value));
    for (let i = 0; i < 3; i += 1) {
      const settling = clock.nextSleep();
      ticks.notify();
      await settling;
      clock.advance(49);
    }
    assert.equal(isThere, false);
    clock.advance(1);
    assert.equal(await tick, 'event');
  });

  it('come all the same when a writer never stops', async () => {
    const { clock, ticks, next } = await start(50);
    const state = { isThere: false };
    const tick = next().then(() => (state.isThere = true));
    for (let i = 0; i < 12 && !state.isThere; i += 1) {
      ticks.notify();
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(await tick, true);
    assert.deepEqual(clock.sleeping, []);
  });

  it('end on abort, also while they settle', async () => {
    for (const settle of [0, 50]) {
      const { stop, ticks, iterator, clock } = await start(settle);
      const tick = iterator.next();
      if (settle > 0) {
        const settling = clock.nextSleep();
        ticks.notify();
        await settling;
      }
      stop.abort();
      assert.deepEqual(await tick, { value: undefined, done: true });
      assert.deepEqual(clock.sleeping, []);
    }
  });
});
