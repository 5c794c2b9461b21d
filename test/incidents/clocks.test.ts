// Incidents of others in which time jumped: each is a guarantee here.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isReady } from '../../src/store/store.ts';
import { Reloading } from '../support/reloading.ts';

const minute = 60_000;
const year = 365 * 86_400_000;
const at = (loop: Reloading, milliseconds: number) => new Date(loop.clock.now().getTime() + milliseconds).toISOString();

describe('clocks', () => {
  it('not yet valid now, valid in a minute, no new revision: it is swapped in at that minute', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    await loop.load({ keyId: 'B', notBefore: at(loop, minute) });
    assert.equal(loop.deferral, 'certificate-not-yet-valid');
    await loop.step(() => loop.source.tick('poll'));
    assert.deepEqual(loop.clock.sleeping, [minute]);
    await loop.step(() => loop.clock.advance(minute));
    assert.equal(loop.signsWith, 'B');
    assert.deepEqual([loop.rejection, loop.deferral], [undefined, undefined]);
  });

  it('clock jump forward: what became valid is swapped in with the next tick', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'B', notBefore: at(loop, year) });
    loop.clock.jump(year);
    const asleep = loop.clock.nextSleep();
    await loop.step(() => loop.source.tick('poll'));
    await asleep;
    if (loop.signsWith === undefined) await loop.step(() => loop.clock.advance(0));
    assert.equal(loop.signsWith, 'B');
  });

  it('clock jump forward without a tick: it is swapped in within five minutes', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'B', notBefore: at(loop, year) });
    loop.clock.jump(year);
    await loop.step(() => loop.clock.advance(5 * minute));
    assert.equal(loop.signsWith, 'B');
  });

  it('clock jump back: a retry is never further away than five minutes', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'B', notBefore: at(loop, minute) });
    loop.clock.jump(-year);
    await loop.step(() => loop.source.tick('poll'));
    const [wait = 0] = loop.clock.sleeping;
    assert.ok(wait <= 5 * minute, String(wait));
    loop.clock.jump(year + minute);
    await loop.step(() => loop.clock.advance(5 * minute));
    assert.equal(loop.signsWith, 'B');
  });

  it('clock jump back, beyond the beginning of what is current: it keeps signing', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A', notBefore: at(loop, -minute) });
    loop.clock.jump(-year);
    await loop.look();
    assert.equal(loop.signsWith, 'A');
    assert.equal(isReady(loop.entry, loop.clock.now()), true);
  });

  it('clock jump forward, beyond the end of what is current: it keeps signing, and is ready again when time is', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A', notAfter: at(loop, year) });
    loop.clock.jump(2 * year);
    await loop.look();
    assert.equal(loop.signsWith, 'A');
    assert.equal(isReady(loop.entry, loop.clock.now()), false);
    loop.clock.jump(-2 * year);
    assert.equal(isReady(loop.entry, loop.clock.now()), true);
  });

  it('expired current (cloud-sql-proxy#980, spire#1562): it is kept and used, but not ready', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A', notAfter: at(loop, minute) });
    assert.equal(isReady(loop.entry, loop.clock.now()), true);
    loop.clock.advance(minute);
    assert.equal(isReady(loop.entry, loop.clock.now()), false);
    await loop.load({ keyId: 'B', notAfter: at(loop, -1) });
    assert.equal(loop.rejection, 'certificate-expired', 'nor does another expired one replace it');
    assert.equal(loop.signsWith, 'A');
  });
});
