// What a reload decides: swap, reject, keep, try again.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeMaterial } from '../support/fake-provider.ts';
import { unreadable } from '../support/fake-source.ts';
import { Reloading } from '../support/reloading.ts';

const minutes = 60_000;

describe('a reload', () => {
  it('makes fit material current and counts the generation up', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    await loop.load({ keyId: 'B' });
    assert.equal(loop.signsWith, 'B');
    assert.equal(loop.current.generation, 2);
    assert.deepEqual(
      loop.recorder.of('swapped').map(({ generation, keyId }) => [generation, keyId]),
      [
        [1, 'A'],
        [2, 'B'],
      ],
    );
    assert.equal(loop.entry.lastReload?.outcome, 'swapped');
  });

  it('does nothing but look when the revision is that of what is current', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    const before = loop.current;
    await loop.load({ keyId: 'A' });
    assert.equal(loop.current, before);
    assert.equal(loop.recorder.of('unchanged').length, 1);
  });

  it('keeps the last good snapshot when material is rejected, and the first violation names the rejection', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    const before = loop.current;
    await loop.load({ keyId: 'B', problem: 'key-mismatch', notAfter: '2020-01-01' });
    assert.equal(loop.current, before);
    assert.equal(loop.rejection, 'key-mismatch');
    assert.equal(loop.entry.lastReload?.outcome, 'rejected');
  });

  it('clears the rejection when the old material is put back', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    await loop.load({ keyId: 'B', problem: 'key-mismatch' });
    await loop.load({ keyId: 'A' });
    assert.equal(loop.entry.rejection, undefined);
    assert.equal(loop.current.generation, 1);
    assert.deepEqual(loop.clock.sleeping, [60 * minutes], 'nothing is left to try again');
  });

  it('says that a rejection is new only when revision or code changes', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'B', problem: 'key-mismatch' });
    await loop.look();
    await loop.step(() => loop.clock.advance(500));
    await loop.step(() => loop.clock.advance(1000));
    await loop.load({ keyId: 'B', problem: 'key-too-small' });
    await loop.load({ keyId: 'C', problem: 'key-too-small' });
    assert.deepEqual(
      loop.recorder.of('rejected').map(({ isNew, error }) => [isNew, error.code]),
      [
        [true, 'key-mismatch'],
        [false, 'key-mismatch'],
        [false, 'key-mismatch'],
        [true, 'key-too-small'],
        [true, 'key-too-small'],
      ],
    );
  });

  it('tries a rejected revision again with backoff to five minutes', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'B', problem: 'key-mismatch' });
    const waits: number[] = [];
    for (let i = 0; i < 14; i += 1) {
      const [wait = 0] = loop.clock.sleeping;
      waits.push(wait);
      await loop.step(() => loop.clock.advance(wait));
    }
    assert.deepEqual(waits.slice(0, 3), [500, 1000, 2000]);
    assert.deepEqual(waits.slice(-3), [5 * minutes, 5 * minutes, 5 * minutes]);
  });

  it('does not try a rejected revision at every event, nor does an event postpone the next try', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'B', problem: 'key-mismatch' });
    loop.clock.advance(400);
    await loop.look();
    assert.equal(loop.recorder.of('rejected').length, 1);
    assert.deepEqual(loop.clock.sleeping, [100]);
  });

  it('reports the lag from the change at the origin, but not for what was there at the start', async (t) => {
    const loop = new Reloading(t);
    loop.source.about = { changedAt: new Date(loop.clock.now().getTime() - 2000), version: '7' };
    await loop.load({ keyId: 'A' });
    await loop.load({ keyId: 'B' });
    assert.deepEqual(
      loop.recorder.of('swapped').map(({ changeToCurrentSeconds }) => changeToCurrentSeconds),
      [undefined, 2],
    );
    assert.equal(loop.current.version, '7');
  });

  it('counts what only the poll found, but not the first load', async (t) => {
    const loop = new Reloading(t);
    loop.source.content = describeMaterial({ keyId: 'A' });
    await loop.step(() => loop.source.tick('poll'));
    assert.equal(loop.recorder.of('found-by-poll').length, 0);
    loop.source.content = describeMaterial({ keyId: 'B' });
    await loop.step(() => loop.source.tick('poll'));
    assert.equal(loop.recorder.of('found-by-poll').length, 1);
  });

  it('keeps the last good snapshot while the origin is away, says so once, and clears it with the next read', async (t) => {
    const loop = new Reloading(t);
    await loop.load({ keyId: 'A' });
    loop.source.failure = unreadable();
    await loop.look();
    await loop.look();
    assert.equal(loop.signsWith, 'A');
    assert.equal(loop.entry.sourceError?.error.code, 'source-unreadable');
    assert.deepEqual(
      loop.recorder.of('source-failed').map(({ isNew }) => isNew),
      [true, false],
    );
    loop.source.failure = undefined;
    await loop.look();
    assert.equal(loop.entry.sourceError, undefined);
    assert.equal(loop.entry.lastReload?.outcome, 'unchanged');
  });

  it('says of what fails before anything is current that there is no last good one', async (t) => {
    const loop = new Reloading(t);
    loop.source.failure = unreadable();
    await loop.look();
    loop.source.failure = undefined;
    await loop.load({ keyId: 'A', problem: 'key-mismatch' });
    await loop.load({ keyId: 'A' });
    await loop.load({ keyId: 'B', problem: 'key-mismatch' });
    loop.source.failure = unreadable();
    await loop.look();
    assert.deepEqual(loop.recorder.of('source-failed').map(({ isFirst }) => isFirst), [true, undefined]); // prettier-ignore
    assert.deepEqual(loop.recorder.of('rejected').map(({ isFirst }) => isFirst), [true, undefined]); // prettier-ignore
  });

  it('reads again by timer when the origin was away and nothing says that it is back', async (t) => {
    const loop = new Reloading(t);
    loop.source.failure = unreadable();
    await loop.look();
    loop.source.failure = undefined;
    loop.source.content = describeMaterial({ keyId: 'A' });
    await loop.step(() => loop.clock.advance(500));
    assert.equal(loop.signsWith, 'A');
  });

  it('notes the fallback that was read, and forgets it when the first source is read again', async (t) => {
    const loop = new Reloading(t);
    for (const fallback of ['files:/a', undefined, 'files:/a']) {
      loop.source.about = { ...(fallback !== undefined && { fallback }) };
      await loop.load({ keyId: 'A' });
      assert.equal(loop.entry.fallback, fallback);
    }
  });

  it('tells of a frozen mount once', async (t) => {
    const loop = new Reloading(t);
    loop.source.about = { frozenPaths: ['/keys/key.pem'] };
    await loop.load({ keyId: 'A' });
    await loop.load({ keyId: 'B' });
    assert.deepEqual(
      loop.recorder.of('mount-frozen').map(({ paths }) => paths),
      [['/keys/key.pem']],
    );
    assert.deepEqual(loop.entry.frozenPaths, ['/keys/key.pem']);
    loop.source.about = {};
    await loop.look();
    assert.equal(loop.entry.frozenPaths, undefined, 'the configuration names another path now');
  });

  it('tells of copies of the keys in annotations whenever there are others, or none any more', async (t) => {
    const loop = new Reloading(t);
    const copyIn = (annotation: string) => ({ namespace: 'pay', secret: 'keys', annotation });
    for (const copies of [undefined, [copyIn('a')], [copyIn('a')], [copyIn('a'), copyIn('b')], undefined, undefined]) {
      loop.source.about = { ...(copies && { copies }) };
      await loop.load({ keyId: 'A' });
      assert.deepEqual(loop.entry.copies, copies);
    }
    assert.deepEqual(
      loop.recorder.of('copies-changed').map(({ copies }) => copies.map(({ annotation }) => annotation)),
      [['a'], ['a', 'b'], []],
    );
  });
});
