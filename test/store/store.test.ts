// The store: one entry per credential, replaced as a whole.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Limiter } from '../../src/store/limiter.ts';
import { PaycertError } from '../../src/errors.ts';
import { Snapshot } from '../../src/store/snapshot.ts';
import { agesIn, isReady, Store } from '../../src/store/store.ts';
import { type Description, fakeContext } from '../support/fake-provider.ts';

const now = new Date('2026-11-22T00:00:00Z');
const standing = { provider: 'fake', isRequired: true, requires: ['sign'] } as const;
const about = { generation: 1, loadedAt: now, version: undefined, retired: [] };
const make = (description: Description) => new Snapshot(fakeContext(description), about, new Limiter(8));

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

describe('ages in an entry', () => {
  const entry = { name: 'a', ...standing, maxAge: { milliseconds: 1000, isGiven: true } };
  const replaceBy = (...args: Parameters<typeof agesIn>) => [...agesIn(...args).values()].map((age) => age.replaceBy);
  const after = (time: Date) => new Date(time.getTime() + 1000);

  it('count from the load that the key came with, or from when it was made', () => {
    const dated = (createdAt: Date | PaycertError) => {
      const context = fakeContext({ keyId: 'A' });
      return new Snapshot({ ...context, set: { ...context.set, createdAt } }, about, new Limiter(8));
    };
    const made = new Date('2026-01-01');
    assert.deepEqual(replaceBy({ ...entry, snapshot: make({ keyId: 'A' }) }), [after(now)]);
    assert.deepEqual(replaceBy({ ...entry, snapshot: dated(made) }), [after(made)]);
    assert.deepEqual(replaceBy({ ...entry, snapshot: dated(new PaycertError('created-at-malformed', 'text')) }), [
      after(now),
    ]);
  });

  it('are none before anything is loaded, and while nothing says how old keys may become', () => {
    assert.deepEqual(replaceBy(entry), []);
    assert.deepEqual(replaceBy({ name: 'a', ...standing, snapshot: make({ keyId: 'A' }) }), []);
  });
});
