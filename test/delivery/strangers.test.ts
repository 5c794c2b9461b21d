// Strangers: a little at once, then a little at a time, and nothing that grows with how many there are.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Strangers } from '../../src/delivery/strangers.ts';

function make(capacity = 100) {
  const time = { now: 0 };
  return { time, strangers: new Strangers({ milliseconds: () => time.now, capacity }) };
}

describe('somebody whose messages never verify', () => {
  it('may try a hundred times at once, and then twice in a second', () => {
    const { time, strangers } = make();
    const tries = (count: number) => Array.from({ length: count }, () => strangers.admit('a')).filter(Boolean).length;
    assert.equal(tries(1000), 100);
    time.now += 1000;
    assert.equal(tries(1000), 2);
    time.now += 3_600_000;
    assert.equal(tries(1000), 100);
  });

  it('takes nothing from another address, and nothing from one that verified', () => {
    const { time, strangers } = make();
    for (let times = 0; times < 200; times += 1) strangers.admit('a');
    assert.ok(strangers.admit('b'));
    strangers.verified('a');
    for (let times = 0; times < 200; times += 1) assert.ok(strangers.admit('a'));
    time.now += 24 * 3_600_000;
    assert.equal(Array.from({ length: 200 }, () => strangers.admit('a')).filter(Boolean).length, 100);
  });

  it('with however many addresses takes no more memory, and pushes out no platform', () => {
    const { strangers } = make(100);
    strangers.verified('platform');
    for (let index = 0; index < 10_000; index += 1) strangers.admit(`stranger ${index}`);
    assert.ok(strangers.size <= 101);
    assert.equal(Array.from({ length: 200 }, () => strangers.admit('platform')).filter(Boolean).length, 200);
  });
});
