// Which resources name a Secret stays right through every change of what they name.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PaymentCredential } from '../../src/operator/resource.ts';
import { SecretIndex } from '../../src/operator/secret-index.ts';

const resource = (spec: unknown): PaymentCredential => ({ kind: 'PaymentCredential', namespace: 'n', name: 'r', uid: '', resourceVersion: '', generation: 1, spec, status: undefined }); // prettier-ignore
const naming = (name: unknown) => resource({ source: { secret: { name } } });

describe('the index', () => {
  it('follows a resource from one Secret to another, and lets it go', () => {
    const index = new SecretIndex();
    assert.deepEqual(index.set('n/a', naming('x')), ['n/x']);
    assert.deepEqual(index.set('n/b', naming('x')), ['n/x']);
    assert.deepEqual(index.set('n/a', naming('x')), [], 'nothing new');
    assert.deepEqual([...index.resourcesOf('n/x')], ['n/a', 'n/b']);
    assert.deepEqual(index.set('n/a', naming('y')), ['n/x', 'n/y']);
    assert.deepEqual(index.set('n/b', undefined), ['n/x']);
    assert.deepEqual([...index.resourcesOf('n/x')], []);
    assert.deepEqual([...index.resourcesOf('n/y')], ['n/a']);
  });

  it('takes what names no Secret as it comes', () => {
    const index = new SecretIndex();
    for (const spec of [
      undefined,
      null,
      {},
      { source: null },
      { source: { secret: 1 } },
      { source: { secret: { name: 5 } } },
    ])
      // prettier-ignore
      assert.deepEqual(index.set('n/a', resource(spec)), []);
  });
});
