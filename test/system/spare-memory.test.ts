// Memory is given back once, a second after the start, and never while somebody calls.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { giveBackSpareMemory } from '../../src/system/spare-memory.ts';

const mebibyte = 1024 * 1024;

interface Situation {
  readonly size?: number;
  readonly isServing?: boolean;
  readonly isEnding?: boolean;
}

/** How long was waited, and how often collected, when all is over. */
async function giveBack({ size = 24, isServing = false, isEnding = false }: Situation) {
  const waited: number[] = [];
  let [isCalled, collections] = [false, 0];
  const ended = new AbortController();
  const clock = {
    now: () => new Date(0),
    sleep: async (milliseconds: number) => {
      waited.push(milliseconds);
      // Somebody calls, or the process ends, in that second.
      isCalled = isServing;
      if (isEnding) ended.abort();
    },
  };
  const heap = { size: () => size * mebibyte, collect: () => void (collections += 1) };
  await giveBackSpareMemory({ clock, isServing: () => isCalled, heap }, ended.signal);
  return { waited, collections };
}

describe('spare memory', () => {
  it('is given back once, a second after the start', async () => {
    assert.deepEqual(await giveBack({}), { waited: [1000], collections: 1 });
  });

  it('is not, where somebody has called by then', async () => {
    assert.equal((await giveBack({ isServing: true })).collections, 0);
  });

  it('of a large heap is left alone: it would hold up the first call for longer', async () => {
    assert.equal((await giveBack({ size: 48 })).collections, 1);
    assert.equal((await giveBack({ size: 49 })).collections, 0);
  });

  it('is not given back by a process that ends', async () => {
    assert.equal((await giveBack({ isEnding: true })).collections, 0);
  });

  it('is that of V8', async () => {
    const clock = { now: () => new Date(0), sleep: () => Promise.resolve() };
    const before = getHeapStatistics().total_heap_size;
    await giveBackSpareMemory({ clock, isServing: () => false }, new AbortController().signal);
    assert.ok(getHeapStatistics().total_heap_size < before);
    assert.equal('gc' in globalThis, false);
  });
});
