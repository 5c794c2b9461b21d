// Keys that nobody knows: a platform is asked for each once in a while, and so often at most, however many are made up.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UnknownKeys } from '../../src/gateway/unknown-keys.ts';

const minute = 60_000;
const allowance = { most: 6, milliseconds: 60 * minute };

describe('unknown keys', () => {
  it('are each admitted once in five minutes', () => {
    const keys = new UnknownKeys();
    assert.deepEqual([0, 1, 4 * minute, 5 * minute].map((at) => keys.admits('A1', at, allowance)), [true, false, false, true]); // prettier-ignore
  });

  it('are admitted six times an hour at most, and again when that hour is over', () => {
    const keys = new UnknownKeys();
    const admitted = Array.from({ length: 1000 }, (_, index) => keys.admits(`A${String(index)}`, index, allowance));
    assert.equal(admitted.filter(Boolean).length, 6);
    assert.ok(keys.admits('B', 60 * minute, allowance));
  });

  it('are admitted again after the clock was set back', () => {
    const keys = new UnknownKeys();
    assert.ok(keys.admits('A1', 1000 * minute, allowance));
    assert.ok(keys.admits('A1', 0, allowance));
  });

  it('take no more memory than a few names', () => {
    const keys = new UnknownKeys();
    const often = { most: 1_000_000, milliseconds: 1 };
    for (let index = 0; index < 10_000; index++) keys.admits(`A${String(index)}`, index, often);
    assert.ok(keys.admits('A1', 10_001, often), 'the oldest are forgotten');
    assert.equal(keys.admits('A9999', 10_002, often), false);
  });
});
