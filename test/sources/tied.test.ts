// Of a pair that nothing ties together, no half is used while the other may still be on its way; after five seconds it is, and that is reported.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Event } from '../../src/events.ts';
import { lateMilliseconds, longestWaitMilliseconds, withTiedParts } from '../../src/sources/tied.ts';
import { filesOf, textsOf } from '../support/directories.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeSource } from '../support/fake-source.ts';

const tied = [
  ['id', 'secret', 'token'],
  ['key', 'serial'],
];

function stage(before: Readonly<Record<string, string>>) {
  const [inner, clock] = [new FakeSource(), new FakeClock()];
  const events: Event[] = [];
  inner.about = { mayBeTorn: true };
  inner.content = filesOf(before);
  const source = withTiedParts(inner, { tied, credential: 'a', clock, observe: (event) => events.push(event) });
  const stop = new AbortController();
  /** What it gives, and how much time passed until then. `write` is called before each look but the first. */
  const read = async (write: (waited: number) => void = () => undefined) => {
    const reading = source.read(stop.signal);
    const done = reading.then(({ data }) => textsOf(data));
    let waited = 0;
    // It sleeps, or it is done.
    await Promise.race([done, clock.nextSleep()]);
    for (let [step] = clock.sleeping; step !== undefined; [step] = clock.sleeping) {
      waited += step;
      write(waited);
      const next = clock.nextSleep();
      clock.advance(step);
      await Promise.race([done, next]);
    }
    return { result: await done, waited };
  };
  return { inner, clock, events, source, stop, read };
}

const first = { id: '1', secret: '1', key: '1', serial: '1', other: '1' };

describe('a pair in plain files', () => {
  it('is used at once when it is read first, and when both parts or none of it changed', async () => {
    const { inner, read, events } = stage(first);
    assert.deepEqual(await read(), { result: first, waited: 0 });
    for (const next of [
      { ...first, other: '2' },
      { ...first, key: '2', serial: '2' },
    ]) {
      inner.content = filesOf(next);
      assert.deepEqual(await read(), { result: next, waited: 0 });
    }
    assert.deepEqual(events, []);
  });

  it('of which one part changed waits until the other has too, whichever of them it is and whenever that comes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(['id', 'secret'], ['secret', 'id'], ['key', 'serial'], ['serial', 'key']),
        fc.integer({ min: 1, max: longestWaitMilliseconds / 250 }),
        async ([early = '', late = ''], steps) => {
          const { inner, read, events } = stage(first);
          await read();
          inner.content = filesOf({ ...first, [early]: '2' });
          const { result, waited } = await read((time) => {
            if (time >= steps * 250) inner.content = filesOf({ ...first, [early]: '2', [late]: '2' });
          });
          assert.deepEqual([result[early], result[late], waited], ['2', '2', steps * 250]);
          assert.deepEqual(events, []);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('waits for a part that goes, or comes, as for one that changes', async () => {
    for (const half of [
      { ...first, token: '1' },
      { id: '1', key: '1', serial: '1', other: '1' },
    ]) {
      const { inner, read } = stage(first);
      await read();
      inner.content = filesOf(half);
      const whole = { ...first, id: '2', secret: '2', token: '1' };
      const { result, waited } = await read(() => (inner.content = filesOf(whole)));
      assert.deepEqual([result, waited], [whole, 250]);
    }
  });

  it('that stays half is used after five seconds, and that is reported once', async () => {
    const { inner, read, events } = stage(first);
    await read();
    inner.content = filesOf({ ...first, serial: '2' });
    const { result, waited } = await read();
    assert.deepEqual([result, waited], [{ ...first, serial: '2' }, longestWaitMilliseconds]);
    const report = { type: 'parts-unmatched', credential: 'a', changed: ['serial'], unchanged: ['key'] };
    assert.deepEqual(events, [report]);
    assert.equal((await read()).waited, 0);
    assert.equal(events.length, 1);
  });

  it('and was used half is used at once when the other part comes, or when the first one is as it was', async () => {
    for (const late of [{ ...first, id: '2', secret: '2' }, first]) {
      const { inner, clock, read, events } = stage(first);
      await read();
      inner.content = filesOf({ ...first, id: '2' });
      assert.equal((await read()).waited, longestWaitMilliseconds);
      clock.advance(lateMilliseconds - 1);
      inner.content = filesOf(late);
      assert.deepEqual(await read(), { result: late, waited: 0 });
      assert.equal(events.length, 1);
    }
  });

  it('of which one part alone was changed some time ago waits as ever when the other one changes', async () => {
    const { inner, clock, read } = stage(first);
    await read();
    inner.content = filesOf({ ...first, serial: '2' });
    await read();
    clock.advance(lateMilliseconds);
    inner.content = filesOf({ ...first, serial: '2', key: '3' });
    const whole = { ...first, serial: '3', key: '3' };
    assert.deepEqual(await read(() => (inner.content = filesOf(whole))), { result: whole, waited: 250 });
  });

  it('is reported beside another one that stays half', async () => {
    const { inner, read, events } = stage(first);
    await read();
    inner.content = filesOf({ ...first, serial: '2', id: '2' });
    assert.equal((await read()).waited, longestWaitMilliseconds);
    assert.deepEqual(
      events.flatMap((event) => (event.type === 'parts-unmatched' ? event.changed : [])),
      ['id', 'serial'],
    );
  });

  it('does not hold up the end', async () => {
    const { inner, clock, source, stop, read } = stage(first);
    await read();
    inner.content = filesOf({ ...first, serial: '2' });
    const reading = source.read(stop.signal);
    if (clock.sleeping.length === 0) await clock.nextSleep();
    stop.abort();
    await reading;
    assert.deepEqual(clock.sleeping, []);
  });
});

describe('a pair that is swapped at once', () => {
  it('does not wait: who wrote one part alone means it', async () => {
    const { inner, read, events } = stage(first);
    inner.about = {};
    await read();
    inner.content = filesOf({ ...first, serial: '2' });
    assert.deepEqual(await read(), { result: { ...first, serial: '2' }, waited: 0 });
    assert.deepEqual(events, []);
  });
});
