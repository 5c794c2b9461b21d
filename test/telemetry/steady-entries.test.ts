// What metrics are facts of: the same object while nothing but the time of the last look changes, and another at any other change.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import type { Entry } from '../../src/store/store.ts';
import { SteadyEntries } from '../../src/telemetry/steady-entries.ts';

const entry = (name: string, more: Partial<Entry> = {}): Entry => ({
  ...{ name, provider: 'wechatpay', isRequired: true, requires: [] },
  ...more,
});
const looked = (one: Entry, milliseconds: number, outcome: 'unchanged' | 'failed' = 'unchanged'): Entry => ({
  ...one,
  lastReload: { at: new Date(milliseconds), outcome },
});

describe('the entries that metrics see', () => {
  it('are the same list of the same objects, however often their keys are looked at', () => {
    const steady = new SteadyEntries();
    const [a, b] = [entry('a'), entry('b')];
    const first = steady.of([a, b]);
    assert.deepEqual([first[0] === a, first[1] === b], [true, true]);
    assert.equal(steady.of([looked(a, 1), looked(b, 1)]), first);
    assert.equal(steady.of([looked(a, 2), b]), first);
  });

  it('are others when anything else changes, and those beside them stay', () => {
    const steady = new SteadyEntries();
    const [a, b] = [entry('a'), entry('b')];
    const first = steady.of([a, b]);
    const failed = looked(
      { ...b, sourceError: { at: new Date(3), error: new PaycertError('source-unreadable', '') } },
      3,
      'failed',
    );
    const second = steady.of([looked(a, 3), failed]);
    assert.notEqual(second, first);
    assert.deepEqual([second[0] === a, second[1] === failed], [true, true]);
    // What is gone is a change, too.
    const third = steady.of([looked(a, 4), looked(b, 4)]);
    assert.deepEqual([third[0] === a, third[1]], [true, looked(b, 4)]);
  });

  it('come and go, and are in the order of the store', () => {
    const steady = new SteadyEntries();
    const [a, b] = [entry('a'), entry('b')];
    assert.deepEqual(
      steady.of([a, b]).map(({ name }) => name),
      ['a', 'b'],
    );
    assert.deepEqual(
      steady.of([looked(b, 1)]).map(({ name }) => name),
      ['b'],
    );
    assert.deepEqual(
      steady.of([b, a]).map(({ name }) => name),
      ['b', 'a'],
    );
    assert.deepEqual(steady.of([]), []);
  });
});
