// Labels and annotations that look like ours and count for nothing: each is named, with what was meant, and few of them make a response long.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ignoredNames } from '../../../src/operator/injection/ignored-names.ts';
import { labels as table } from '../../../src/operator/labels.ts';

describe('a label or annotation of a Pod', () => {
  it('that means something has no word', () => {
    const named = (is: 'label' | 'annotation') =>
      Object.fromEntries(
        Object.entries(table).flatMap(([name, row]) =>
          row.is === is && row.on.includes('Pod') ? [[name, 'disabled']] : [],
        ),
      );
    assert.deepEqual(ignoredNames(named('label'), named('annotation')), []);
    assert.deepEqual(ignoredNames({ app: 'shop' }, { 'paycert.devs/log-level': '', 'other/paycert.dev': '' }), []);
    assert.deepEqual(ignoredNames(), []);
  });

  it('that is written wrong is named with the nearest one', () => {
    assert.deepEqual(ignoredNames({}, { 'paycert.dev/loglevel': 'debug', 'paycert.dev/cpu-limits': '1' }), [
      'Annotation paycert.dev/loglevel counts for nothing: a Pod has no such annotation (did you mean log-level?).',
      'Annotation paycert.dev/cpu-limits counts for nothing: a Pod has no such annotation (did you mean cpu-limit?).',
    ]);
    assert.deepEqual(ignoredNames({ 'paycert.dev/images': '' }), [
      'Label paycert.dev/images counts for nothing: a Pod has no such label (did you mean image, which is an annotation?).',
    ]);
  });

  it('that belongs elsewhere says where', () => {
    assert.deepEqual(ignoredNames({ 'paycert.dev/drain': '5s' }, { 'paycert.dev/injection': 'disabled', 'paycert.dev/used-by': 'any' }), [
      'Label paycert.dev/drain counts for nothing: it is an annotation.',
      'Annotation paycert.dev/injection counts for nothing: it is a label.',
      'Annotation paycert.dev/used-by counts for nothing: it belongs on a Secret.',
    ]); // prettier-ignore
  });

  it('that opts out has one value', () => {
    assert.deepEqual(ignoredNames({ 'paycert.dev/injection': 'disabled' }), []);
    assert.deepEqual(ignoredNames({ 'paycert.dev/injection': 'false' }), [
      'Label paycert.dev/injection means something only as disabled: a sidecar is injected.',
    ]);
  });

  it('of which there are thousands has four words and a count, soon', () => {
    const many = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, index) => [`paycert.dev/x-${String(index)}`, '']),
    );
    const before = process.cpuUsage();
    const said = ignoredNames({}, many);
    assert.ok(process.cpuUsage(before).user < 100_000);
    assert.equal(said.length, 5);
    assert.equal(said.at(-1), '19996 more labels and annotations of paycert.dev/ count for nothing.');
  });
});
