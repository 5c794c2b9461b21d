// The text of facts at a scrape: right for whatever labels hold, and written once while what it is read off stays.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FactGauge, type Sample } from '../../src/telemetry/fact-gauge.ts';

const gauge = (subjects: readonly { readonly samples: readonly Sample[] }[], isLive = false) => {
  const reads: object[] = [];
  const read = (subject: { readonly samples: readonly Sample[] }) => {
    reads.push(subject);
    return subject.samples;
  };
  return {
    reads,
    fact: new FactGauge({ name: 'a', help: 'b\\c\nd', labels: ['x'], subjects: () => subjects, read, isLive }),
  };
};

describe('the text of a fact', () => {
  it('has its help, its type and a line for each sample, whatever its labels hold', () => {
    const samples = [{ value: 1 }, { value: -2.5, x: 'a"b\\c\nd', y: 3 }, { value: Number.NEGATIVE_INFINITY, x: '密' }];
    const { fact } = gauge([{ samples }, { samples: [] }, { samples: [{ value: 1e21 }] }]);
    assert.deepEqual(fact.text().split('\n'), [
      '# HELP a b\\\\c\\nd',
      '# TYPE a gauge',
      'a 1',
      'a{x="a\\"b\\\\c\\nd",y="3"} -2.5',
      'a{x="密"} -Inf',
      'a 1e+21',
    ]);
  });

  it('is written once for each object that stays, and again for another in its place', () => {
    const [one, two] = [{ samples: [{ value: 1 }] }, { samples: [{ value: 2 }] }];
    const subjects = [one];
    const { fact, reads } = gauge(subjects);
    assert.equal(fact.text(), fact.text());
    assert.deepEqual(reads, [one]);
    subjects[0] = two;
    assert.match(fact.text(), /a 2$/);
    assert.deepEqual(reads, [one, two]);
  });

  it('of the same list is the same text, and of another list another', () => {
    const [one, two] = [{ samples: [{ value: 1 }] }, { samples: [{ value: 2 }] }];
    const { fact } = gauge([]);
    const list = [one];
    assert.equal(fact.text(list), fact.text(list));
    assert.match(fact.text([one, two]), /a 1\na 2$/);
    assert.match(fact.text(list), /a 1$/);
    const live = gauge([], true).fact;
    const changing = [{ samples: [{ value: 3 }] }];
    assert.match(live.text(changing), /a 3$/);
    changing[0]!.samples = [{ value: 4 }];
    assert.match(live.text(changing), /a 4$/);
  });

  it('is written at each scrape where it changes while its object stays', () => {
    const { fact, reads } = gauge([{ samples: [{ value: 1 }] }], true);
    fact.text();
    fact.text();
    assert.equal(reads.length, 2);
  });
});
