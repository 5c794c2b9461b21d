// How far away a key service is: what a crowd does to its responses does not count, and a way that becomes longer does after a while.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Distance } from '../../src/keys/distance.ts';

const minutes = 60_000;

describe('the distance of a key service', () => {
  it('is that of its fastest response, and far beyond 10 ms', () => {
    const distance = new Distance(() => 0);
    assert.equal(distance.isFar, false);
    distance.note(11);
    assert.equal(distance.isFar, true);
    distance.note(3);
    for (let count = 0; count < 100; count += 1) distance.note(500);
    assert.equal(distance.isFar, false);
  });

  it('is another one once nothing was as fast for ten minutes', () => {
    let now = 0;
    const distance = new Distance(() => now);
    distance.note(3);
    for (const [at, isFar] of [
      [4 * minutes, false],
      [6 * minutes, false],
      [12 * minutes, true],
    ] as const) {
      now = at;
      distance.note(25);
      assert.equal(distance.isFar, isFar, String(at / minutes));
    }
  });
});
