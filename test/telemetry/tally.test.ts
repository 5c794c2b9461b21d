// What counters grew by, between two scrapes: nothing is lost, nothing is counted twice, and nothing that has gone is kept.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Labels, Tally } from '../../src/telemetry/counted/tally.ts';

function emptied(tally: Tally): readonly (readonly [Labels, number])[] {
  const handed: (readonly [Labels, number])[] = [];
  tally.empty((labels, value) => void handed.push([labels, value]));
  return handed;
}

describe('a tally', () => {
  it('adds up by labels, however many there are', () => {
    const tally = new Tally(['credential', 'outcome']);
    tally.add({ credential: 'a', outcome: 'ok', value: 1 });
    tally.add({ outcome: 'ok', credential: 'a', value: 2 });
    tally.add({ credential: 'a', outcome: 'refused', value: 1 });
    tally.add({ credential: 'ok', outcome: 'a', value: 5 });
    assert.deepEqual(emptied(tally), [
      [{ credential: 'a', outcome: 'ok' }, 3],
      [{ credential: 'a', outcome: 'refused' }, 1],
      [{ credential: 'ok', outcome: 'a' }, 5],
    ]);
    const one = new Tally(['reason']);
    one.add({ reason: 'x', value: 1 });
    one.add({ reason: 'x', value: 1 });
    assert.deepEqual(emptied(one), [[{ reason: 'x' }, 2]]);
    const none = new Tally([]);
    none.add({ value: 1 });
    none.add({ value: 3 });
    assert.deepEqual(emptied(none), [[{}, 4]]);
  });

  it('hands over once, and begins again', () => {
    const tally = new Tally(['credential']);
    tally.add({ credential: 'a', value: 1 });
    assert.equal(emptied(tally).length, 1);
    assert.deepEqual(emptied(tally), []);
    tally.add({ credential: 'a', value: 7 });
    assert.deepEqual(emptied(tally), [[{ credential: 'a' }, 7]]);
  });

  it('refuses what no counter can grow by, and keeps the rest', () => {
    const tally = new Tally(['credential']);
    tally.add({ credential: 'a', value: 1 });
    for (const value of [-1, Number.NaN, Infinity])
      assert.throws(() => tally.add({ credential: 'a', value }), RangeError);
    assert.deepEqual(emptied(tally), [[{ credential: 'a' }, 1]]);
  });

  it('keeps what a gauge became last, by labels, and hands that over once', () => {
    const tally = new Tally(['host']);
    for (const value of [3, -2, Number.NaN]) tally.set({ host: 'a', value });
    tally.set({ host: 'b', value: 0.5 });
    assert.deepEqual(emptied(tally), [
      [{ host: 'a' }, Number.NaN],
      [{ host: 'b' }, 0.5],
    ]);
    assert.deepEqual(emptied(tally), []);
  });
});
