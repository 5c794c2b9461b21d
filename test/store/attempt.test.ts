// One attempt: what comes late changes nothing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { material } from '../../src/sources/source.ts';
import { attempt } from '../../src/store/attempt.ts';
import { describeMaterial, fakeProvider } from '../support/fake-provider.ts';
import { Reloading } from '../support/reloading.ts';

describe('an attempt', () => {
  const standing = { provider: 'fake', isRequired: true, requires: ['sign'] } as const;

  it('has no effect on a credential that was declared anew, for another merchant, while it loaded', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    const provider = {
      ...fakeProvider,
      load: async (data: ReadonlyMap<string, Uint8Array>) => {
        loop.store.remove('merchant');
        loop.store.declare('merchant', standing);
        return fakeProvider.load(data);
      },
    };
    await attempt({ ...loop.credential, provider }, material(describeMaterial({ keyId: 'B' })), loop.dependencies);
    assert.equal(loop.entry.snapshot, undefined);
    assert.equal(loop.recorder.of('swapped').length, 1);
  });

  it('changes nothing once its signal is aborted', async (t) => {
    const loop = new Reloading(t);
    const refused = { keyId: 'B', problem: 'key-mismatch' } as const;
    const signal = AbortSignal.abort();
    await attempt(loop.credential, material(describeMaterial(refused)), loop.dependencies, { signal });
    assert.equal(loop.entry.rejection, undefined);
    assert.deepEqual(loop.recorder.events, []);
  });
});
