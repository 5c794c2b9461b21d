// Places at an agent of Consul: long questions while there is room, short ones by turns where there is none.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Places } from '../../src/origins/consul/places.ts';

const signal = new AbortController().signal;

describe('places at an agent', () => {
  it('are kept for a minute while there are as many as followers, and all have their turn in ten seconds beyond that', () => {
    const places = new Places(128);
    const waitWith = (count: number) => {
      const following = Array.from({ length: count }, () => places.follow());
      const milliseconds = places.waitMilliseconds;
      for (const one of following) one[Symbol.dispose]();
      return milliseconds;
    };
    assert.deepEqual([1, 128, 129, 256, 1000, 20_000].map(waitWith), [60_000, 60_000, 9922, 5000, 1280, 100]);
    assert.equal(places.waitMilliseconds, 60_000);
  });

  it('are given in the order in which they were asked for', async () => {
    const places = new Places(1);
    const order: string[] = [];
    const first = await places.enter(signal);
    const others = ['b', 'c'].map(async (name) => {
      using _ = await places.enter(signal);
      order.push(name);
    });
    first[Symbol.dispose]();
    await Promise.all(others);
    assert.deepEqual(order, ['b', 'c']);
  });
});
