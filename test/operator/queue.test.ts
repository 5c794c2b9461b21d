// The keyed queue: a key is reconciled once at a time, none is lost, and failures are tried again with backoff.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Queue } from '../../src/operator/queue.ts';
import { ResourceKey } from '../../src/operator/resource-key.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** A queue whose reconciliations end when the test says so. */
function start(t: TestContext, workers = 2) {
  const clock = new FakeClock();
  const begun: string[] = [];
  const failures: string[] = [];
  const open = new Map<string, PromiseWithResolvers<number | undefined>>();
  const waiting: (() => void)[] = [];
  const queue = new Queue({
    clock,
    random: () => 1,
    reconcile: ({ name }) => {
      begun.push(name);
      const work = Promise.withResolvers<number | undefined>();
      open.set(name, work);
      waiting.splice(0).forEach((wake) => wake());
      return work.promise;
    },
    failed: ({ name }) => failures.push(name),
  });
  const stop = new AbortController();
  const ended = queue.run(workers, stop.signal);
  t.after(() => {
    stop.abort();
    for (const { resolve } of open.values()) resolve(undefined);
    return ended;
  });
  /** Until so many have begun. */
  const until = async (count: number) => {
    while (begun.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  /** Ends that of a key, and lets what follows from it happen. */
  const settle = async (key: string, how: { readonly pause?: number } | Error = {}) => {
    const work = open.get(key);
    if (how instanceof Error) work?.reject(how);
    else work?.resolve(how.pause);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const add = (name: string) => queue.add(new ResourceKey('Secret', 'pay', name));
  return { queue, add, clock, begun, failures, until, settle, stop, ended };
}

describe('a queue', () => {
  it('reconciles a key once that is added many times before', async (t) => {
    const { queue, add, begun, until, settle } = start(t);
    for (let i = 0; i < 5; i += 1) add('a');
    await until(1);
    await settle('a');
    assert.deepEqual(begun, ['a']);
    assert.equal(queue.size, 0);
  });

  it('reconciles a key again that is added meanwhile, and not at the same time', async (t) => {
    const { add, begun, until, settle } = start(t);
    add('a');
    await until(1);
    add('a');
    add('a');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(begun, ['a']);
    await settle('a');
    await until(2);
    await settle('a');
    assert.deepEqual(begun, ['a', 'a']);
  });

  it('is idle once each key that was added is reconciled, also one that was added meanwhile', async (t) => {
    const { queue, add, until, settle } = start(t);
    assert.equal(queue.isIdle, true);
    add('a');
    assert.equal(queue.isIdle, false);
    await until(1);
    add('a');
    await settle('a');
    assert.equal(queue.isIdle, false);
    await until(2);
    await settle('a');
    assert.equal(queue.isIdle, true);
  });

  it('is idle while what has failed waits to be tried again', async (t) => {
    const { queue, add, until, settle } = start(t);
    add('a');
    await until(1);
    await settle('a', new Error('not now'));
    assert.equal(queue.isIdle, true);
  });

  it('reconciles as many keys at once as it has workers, and no more', async (t) => {
    const { add, begun, until, settle } = start(t);
    for (const name of ['a', 'b', 'c']) add(name);
    await until(2);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(begun, ['a', 'b']);
    await settle('b');
    await until(3);
    assert.deepEqual(begun, ['a', 'b', 'c']);
  });

  it('tries what failed again, later each time and never later than half a minute', async (t) => {
    const { add, clock, begun, failures, until, settle } = start(t);
    add('a');
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
    add('a');
    await until(11);
    await settle('a', new Error('no'));
    assert.deepEqual(clock.sleeping, [500], 'a success forgets the failures before it');
    assert.equal(begun.length, 11);
  });

  it('reconciles again at the time that is asked for, unless something happens before', async (t) => {
    const { add, clock, begun, until, settle } = start(t);
    add('a');
    await until(1);
    await settle('a', { pause: 5000 });
    assert.deepEqual(clock.sleeping, [5000]);
    add('a');
    await until(2);
    assert.deepEqual(clock.sleeping, [], 'the later time is forgotten');
    await settle('a', { pause: 7000 });
    clock.advance(7000);
    await until(3);
    assert.equal(begun.length, 3);
  });

  it('ends when the last reconciliation has ended', async (t) => {
    const { add, until, settle, stop, ended } = start(t);
    add('a');
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
