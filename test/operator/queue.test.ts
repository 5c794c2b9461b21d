// The keyed queue: one look at a key at a time, none lost, and failures tried again with backoff.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Queue } from '../../src/operator/queue.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** A queue whose looks end when the test says so. */
function start(t: TestContext, workers = 2) {
  const clock = new FakeClock();
  const begun: string[] = [];
  const failures: string[] = [];
  const open = new Map<string, PromiseWithResolvers<number | undefined>>();
  const waiting: (() => void)[] = [];
  const queue = new Queue({
    clock,
    random: () => 1,
    look: (key) => {
      begun.push(key);
      const look = Promise.withResolvers<number | undefined>();
      open.set(key, look);
      waiting.splice(0).forEach((wake) => wake());
      return look.promise;
    },
    failed: (key) => failures.push(key),
  });
  const stop = new AbortController();
  const ended = queue.run(workers, stop.signal);
  t.after(() => {
    stop.abort();
    for (const { resolve } of open.values()) resolve(undefined);
    return ended;
  });
  /** Until so many looks have begun. */
  const until = async (count: number) => {
    while (begun.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  /** Ends the look at a key, and lets what follows from it happen. */
  const settle = async (key: string, how: { readonly pause?: number } | Error = {}) => {
    const look = open.get(key);
    if (how instanceof Error) look?.reject(how);
    else look?.resolve(how.pause);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue, clock, begun, failures, until, settle, stop, ended };
}

describe('a queue', () => {
  it('looks once at a key that is added many times before', async (t) => {
    const { queue, begun, until, settle } = start(t);
    for (let i = 0; i < 5; i += 1) queue.add('a');
    await until(1);
    await settle('a');
    assert.deepEqual(begun, ['a']);
    assert.equal(queue.size, 0);
  });

  it('looks again at a key that is added while it is looked at, and not at the same time', async (t) => {
    const { queue, begun, until, settle } = start(t);
    queue.add('a');
    await until(1);
    queue.add('a');
    queue.add('a');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(begun, ['a']);
    await settle('a');
    await until(2);
    await settle('a');
    assert.deepEqual(begun, ['a', 'a']);
  });

  it('looks at as many keys at once as it has workers, and at no more', async (t) => {
    const { queue, begun, until, settle } = start(t);
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await until(2);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(begun, ['a', 'b']);
    await settle('b');
    await until(3);
    assert.deepEqual(begun, ['a', 'b', 'c']);
  });

  it('tries what failed again, later each time and never later than half a minute', async (t) => {
    const { queue, clock, begun, failures, until, settle } = start(t);
    queue.add('a');
    const pauses: number[] = [];
    for (let i = 1; i <= 9; i += 1) {
      await until(i);
      await settle('a', new Error('no'));
      const [pause = 0] = clock.sleeping;
      pauses.push(pause);
      clock.advance(pause);
    }
    assert.deepEqual(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    assert.equal(failures.length, 9);
    await until(10);
    await settle('a');
    queue.add('a');
    await until(11);
    await settle('a', new Error('no'));
    assert.deepEqual(clock.sleeping, [500], 'a success forgets the failures before it');
    assert.equal(begun.length, 11);
  });

  it('looks at the time that a look asks for, unless something happens before', async (t) => {
    const { queue, clock, begun, until, settle } = start(t);
    queue.add('a');
    await until(1);
    await settle('a', { pause: 5000 });
    assert.deepEqual(clock.sleeping, [5000]);
    queue.add('a');
    await until(2);
    assert.deepEqual(clock.sleeping, [], 'the later time is forgotten');
    await settle('a', { pause: 7000 });
    clock.advance(7000);
    await until(3);
    assert.equal(begun.length, 3);
  });

  it('ends when its last look has ended', async (t) => {
    const { queue, until, settle, stop, ended } = start(t);
    queue.add('a');
    await until(1);
    stop.abort();
    let isOver = false;
    void ended.then(() => (isOver = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isOver, false);
    await settle('a');
    await ended;
  });
});
