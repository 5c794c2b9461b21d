// Work shared by all who wait for it: done once a second, and never older than the question.
import assert from 'node:assert/strict';
import { setImmediate as settle } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { shared } from '../../src/server/shared.ts';
import { FakeClock } from '../support/fake-clock.ts';

function count() {
  const clock = new FakeClock();
  const runs: PromiseWithResolvers<number>[] = [];
  const ask = shared(() => {
    const run = Promise.withResolvers<number>();
    runs.push(run);
    return run.promise;
  }, clock);
  return { clock, runs, ask };
}

describe('shared work', () => {
  it('is done at once for the first, and once for all who come while it runs, a second later', async () => {
    const { clock, runs, ask } = count();
    const first = ask();
    await settle();
    assert.equal(runs.length, 1);
    const rest = Array.from({ length: 1000 }, () => ask());
    runs[0]!.resolve(1);
    assert.equal(await first, 1);
    clock.advance(999);
    await settle();
    assert.equal(runs.length, 1);
    clock.advance(1);
    await settle();
    runs[1]!.resolve(2);
    assert.deepEqual(new Set(await Promise.all(rest)), new Set([2]));
    assert.equal(runs.length, 2);
  });

  it('that fails, fails for those who waited for it, and is done again', async () => {
    const { clock, runs, ask } = count();
    const failing = ask();
    await settle();
    runs[0]!.reject(new Error('failed'));
    await assert.rejects(failing, /failed/);
    clock.advance(1000);
    const next = ask();
    await settle();
    runs[1]!.resolve(2);
    assert.equal(await next, 2);
  });

  it('waits no longer for a clock that was set back', async () => {
    const { clock, runs, ask } = count();
    const first = ask();
    await settle();
    runs[0]!.resolve(1);
    await first;
    clock.advance(-3_600_000);
    const next = ask();
    await settle();
    clock.advance(1000);
    await settle();
    runs[1]!.resolve(2);
    assert.equal(await next, 2);
  });
});
