// A trial of a next key: it ends with the refusal that is one too many, for this set and this activation, and for nothing else.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Trial } from '../../src/sources/trial.ts';

const limits = { failurePercent: 50, minimumCalls: 4 };

function make(minimumCalls = limits.minimumCalls) {
  const counted = { ends: 0 };
  const trial = new Trial({ ...limits, minimumCalls }, () => (counted.ends += 1));
  return { trial, counted };
}

describe('a trial', () => {
  it('ends with the refusal that is one too many, and not before there were enough calls', () => {
    const { trial, counted } = make();
    assert.ok(trial.mayBegin('a'));
    for (const isRefused of [true, true, true]) trial.note(isRefused);
    assert.deepEqual([trial.mayBegin('a'), counted.ends], [true, 0]);
    trial.note(false);
    assert.deepEqual([trial.mayBegin('a'), counted.ends, trial.rejections], [false, 1, 1]);
  });

  it('is another one for another set or share, and for the same one once the activation was another', () => {
    const { trial } = make(1);
    trial.mayBegin('a');
    trial.note(true);
    assert.equal(trial.mayBegin('a'), false);
    assert.equal(trial.mayBegin('b'), true);
    trial.note(true);
    assert.equal(trial.mayBegin('b'), false);
    trial.forget();
    assert.equal(trial.mayBegin('b'), true);
  });

  it('takes nothing into account while the next set does not sign', () => {
    const { trial } = make(1);
    trial.note(true);
    trial.mayBegin('a');
    trial.end();
    trial.note(true);
    assert.equal(trial.mayBegin('a'), true);
  });

  it('never ends below its share, and remembers two hundred', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 600 }), (all) => {
        const { trial, counted } = make();
        trial.mayBegin('a');
        const seen: boolean[] = [];
        for (const isRefused of all) {
          if (!trial.mayBegin('a')) break;
          trial.note(isRefused);
          seen.push(isRefused);
        }
        const last = seen.slice(-200);
        const isOver = last.length >= 4 && last.filter(Boolean).length * 2 >= last.length;
        assert.equal(counted.ends > 0, isOver);
      }),
    );
  });
});
