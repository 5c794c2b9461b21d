// The store: one entry per credential, replaced as a whole.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Turns } from '../../src/crypto/turns.ts';
import { Snapshot } from '../../src/store/snapshot.ts';
import { isReady, Store } from '../../src/store/store.ts';
import { type Description, fakeContext } from '../support/fake-provider.ts';

const now = new Date('2026-11-22T00:00:00Z');
const standing = { provider: 'fake', isRequired: true, requires: ['sign'] } as const;
const make = (description: Description) =>
  new Snapshot(
    fakeContext(description),
    { generation: 1, loadedAt: now, version: undefined, retired: [] },
    new Turns(8),
  );

describe('the store', () => {
  it('knows a credential once it is declared, and says when it has nothing loaded', () => {
    const store = new Store();
    assert.throws(() => store.entry('a'), { code: 'credential-unknown' });
    assert.throws(() => store.current('a'), { code: 'credential-unknown' });
    store.declare('a', standing);
    assert.throws(() => store.current('a'), { code: 'credential-not-loaded' });
    assert.equal(isReady(store.entry('a'), now), false);
  });

  it('keeps what is loaded when a credential is declared again', () => {
    const store = new Store();
    store.declare('a', standing);
    const snapshot = make({ keyId: 'A' });
    store.update('a', (entry) => ({ ...entry, snapshot }));
    store.declare('a', { ...standing, isRequired: false });
    assert.equal(store.current('a'), snapshot);
    assert.equal(store.entry('a').isRequired, false);
  });

  it('shows a reader one instant: an entry already taken never changes', () => {
    const store = new Store();
    store.declare('a', standing);
    const taken = store.entry('a');
    store.update('a', (entry) => ({ ...entry, snapshot: make({ keyId: 'A' }) }));
    assert.equal(taken.snapshot, undefined);
  });

  it('does not bring back a credential that was removed', () => {
    const store = new Store();
    store.declare('a', standing);
    store.remove('a');
    store.update('a', (entry) => ({ ...entry, snapshot: make({ keyId: 'A' }) }));
    assert.deepEqual(store.entries(), []);
  });

  it('is ready only with everything that is required, at that time', () => {
    const store = new Store();
    store.declare('a', { ...standing, requires: ['sign', 'verify'] });
    const set = (description: Description) => store.update('a', (entry) => ({ ...entry, snapshot: make(description) }));
    set({ keyId: 'A' });
    assert.equal(isReady(store.entry('a'), now), false);
    set({ keyId: 'A', platform: { P: '2026-12-01' } });
    assert.equal(isReady(store.entry('a'), now), true);
    assert.equal(isReady(store.entry('a'), new Date('2026-12-01')), false);
  });
});
