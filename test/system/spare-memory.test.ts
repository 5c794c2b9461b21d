// Memory is given back at rest, and never while somebody calls: after the start and after a rush, rarely, and only where it is worth it.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { type Heap, SpareMemory } from '../../src/system/spare-memory.ts';

const mebibyte = 1024 * 1024;

/** A clock whose sleepers are woken by hand, and a heap of a size that is set. */
function setUp(t: TestContext, kept = 16) {
  const state = { milliseconds: 0, size: 24, collections: 0 };
  const sleepers: (() => void)[] = [];
  const clock = {
    now: () => new Date(state.milliseconds),
    sleep: (milliseconds: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve());
        sleepers.push(() => {
          state.milliseconds += milliseconds;
          resolve();
        });
      }),
  };
  const heap: Heap = {
    size: () => state.size * mebibyte,
    collect: () => {
      state.collections += 1;
      state.size = kept;
    },
  };
  const memory = new SpareMemory({ clock, heap });
  t.after(() => memory.close());
  const pass = async () => {
    for (const wake of sleepers.splice(0)) wake();
    await new Promise((resolve) => setImmediate(resolve));
    return sleepers.length > 0;
  };
  return { state, memory, pass };
}

describe('spare memory', () => {
  it('is given back when nothing happened for a second, and nobody watches any more then', async (t) => {
    const { state, memory, pass } = setUp(t);
    memory.note();
    assert.equal(await pass(), false);
    assert.equal(state.collections, 1);
    assert.equal(await pass(), false, 'nothing is waited for');
  });

  it('is not looked for while calls come', async (t) => {
    const { state, memory, pass } = setUp(t);
    memory.note();
    for (let second = 0; second < 100; second += 1) {
      memory.note();
      assert.equal(await pass(), true);
    }
    assert.equal(state.collections, 0);
    await pass();
    assert.equal(state.collections, 1);
  });

  it('is given back once a minute at most, and only where the heap has grown since', async (t) => {
    const { state, memory, pass } = setUp(t);
    memory.note();
    await pass();
    state.size = 40;
    memory.note();
    await pass();
    assert.equal(state.collections, 1, 'within the minute');
    state.milliseconds += 60_000;
    state.size = 19;
    memory.note();
    await pass();
    assert.equal(state.collections, 1, 'hardly grown');
    state.size = 20;
    memory.note();
    await pass();
    assert.equal(state.collections, 2);
  });

  it('of a large heap is left alone: it would hold up calls for longer', async (t) => {
    const { state, memory, pass } = setUp(t);
    state.size = 49;
    memory.note();
    await pass();
    assert.equal(state.collections, 0);
  });

  it('is not given back by a process that ends', async (t) => {
    const { state, memory } = setUp(t);
    memory.note();
    memory.close();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(state.collections, 0);
  });

  it('is that of V8', async (t) => {
    const ended = Promise.withResolvers<undefined>();
    const clock = {
      now: () => new Date(0),
      sleep: () => Promise.resolve(),
    };
    const garbage = Array.from({ length: 100_000 }, (_, index) => ({ index }));
    assert.equal(garbage.length, 100_000);
    garbage.length = 0;
    const before = getHeapStatistics().total_heap_size;
    const memory = new SpareMemory({ clock });
    t.after(() => memory.close());
    memory.note();
    setImmediate(() => ended.resolve(undefined));
    await ended.promise;
    assert.ok(getHeapStatistics().total_heap_size < before || before > 48 * mebibyte);
    assert.equal('gc' in globalThis, false);
  });
});
