// What a reload survives: bugs of providers, sources and observers, and its own end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isolate } from '../../src/events.ts';
import { Store } from '../../src/store/store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { describeMaterial } from '../support/fake-provider.ts';
import { Reloading } from '../support/reloading.ts';

describe('a reload loop', () => {
  it('makes an unknown throw of the provider an internal error and keeps the last good snapshot', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    await loop.load({ keyId: 'B', crash: true });
    assert.equal(loop.signsWith, 'A');
    assert.equal(loop.entry.lastReload?.outcome, 'failed');
    assert.equal(loop.rejection, 'internal-error', 'why the newest material is not current');
    const [event] = loop.recorder.of('internal-error');
    assert.equal(event?.credential, 'merchant');
    assert.ok(event.error instanceof TypeError && event.error.stack !== undefined);
    await loop.load({ keyId: 'C' });
    assert.equal(loop.signsWith, 'C');
    assert.equal(loop.entry.rejection, undefined);
  });

  it('swaps nothing when the provider throws on the last step before the swap', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    await loop.load({ keyId: 'B', crashOnWarnings: true });
    assert.equal(loop.signsWith, 'A');
    assert.equal(loop.current.generation, 1);
    assert.equal(loop.recorder.of('internal-error').length, 1);
  });

  it('goes on when an isolated observer throws at everything', async (t) => {
    const loop = new Reloading(t, {
      observe: isolate(() => {
        throw new Error('the log is full');
      }),
    });
    loop.source.about = { frozenPaths: ['/k'] };
    await loop.load({ keyId: 'A' });
    await loop.load({ keyId: 'B', problem: 'key-mismatch' });
    await loop.load({ keyId: 'B', crash: true });
    assert.equal(loop.signsWith, 'A');
    await loop.load({ keyId: 'C' });
    assert.equal(loop.current.generation, 2);
    await loop.load({ keyId: 'C' });
    assert.equal(loop.entry.lastReload?.outcome, 'unchanged');
  });

  it('asks a source again whose changes throw or end', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    for (const fault of [new TypeError('a bug in changes'), 'end' as const]) {
      await loop.step(() => loop.source.tick(fault));
      assert.equal(loop.source.watching, 0);
      loop.clock.advance(10_000);
      await loop.load({ keyId: String(fault) });
      assert.equal(loop.signsWith, String(fault));
    }
    assert.deepEqual(
      loop.recorder.of('internal-error').map(({ where }) => where),
      ['changes', 'changes'],
    );
  });

  it('ends on abort and closes its watch', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    assert.equal(loop.source.watching, 1);
    loop.stop.abort();
    await loop.ended;
    assert.equal(loop.source.watching, 0);
    assert.deepEqual(loop.clock.sleeping, []);
  });

  it('lets an attempt that was overtaken by abort have no effect', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    loop.source.content = describeMaterial({ keyId: 'B' });
    let open = () => {};
    loop.source.gate = new Promise((resolve) => (open = resolve));
    const before = loop.recorder.events.length;
    loop.source.tick();
    loop.stop.abort();
    open();
    await loop.ended;
    assert.equal(loop.signsWith, 'A');
    assert.equal(loop.recorder.events.length, before);
  });

  it('tells nothing of a credential that was removed while it was read', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    loop.source.about = { frozenPaths: ['/k'] };
    loop.store.remove('merchant');
    const before = loop.recorder.events.length;
    await loop.load({ keyId: 'B' });
    assert.equal(loop.store.has('merchant'), false);
    assert.equal(loop.recorder.events.length, before);
  });
});

describe('two reload loops', () => {
  it('do not stop each other: one whose parser has a bug leaves the other swapping', async (t) => {
    const [store, clock] = [new Store(), new FakeClock()];
    const buggy = new Reloading(t, { name: 'buggy', store, clock });
    const sound = new Reloading(t, { name: 'sound', store, clock });
    for (let i = 0; i < 5; i += 1) {
      await buggy.load({ keyId: `bug ${String(i)}`, crash: true });
      await sound.load({ keyId: `key ${String(i)}` });
      assert.equal(sound.signsWith, `key ${String(i)}`);
    }
    assert.equal(sound.current.generation, 5);
    assert.equal(buggy.entry.snapshot, undefined);
  });
});
