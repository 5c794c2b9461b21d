// A bulkhead by itself: how many are inside, who waits, in which order they enter, and what ends a wait.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Bulkhead, BulkheadFull } from '../../src/gateway/bulkhead.ts';
import { CallEnd } from '../../src/store/call-end.ts';
import { ballast, leftBehind } from '../support/left-behind.ts';

const never = new AbortController().signal;
const counts = ({ underWay, waiting }: Bulkhead) => [underWay, waiting];

describe('a bulkhead', () => {
  it('lets so many in, so many more wait in order, and refuses the next', async () => {
    const bulkhead = new Bulkhead({ concurrent: 2, queued: 2 });
    const order: number[] = [];
    const [leave] = await Promise.all([bulkhead.enter(never), bulkhead.enter(never)]);
    const later = [1, 2].map(async (index) => {
      const left = await bulkhead.enter(never);
      order.push(index);
      left();
    });
    assert.deepEqual(counts(bulkhead), [2, 2]);
    await assert.rejects(bulkhead.enter(never), BulkheadFull);
    leave();
    await Promise.all(later);
    assert.deepEqual([order, counts(bulkhead)], [[1, 2], [1, 0]]);
  }); // prettier-ignore

  it('gives a turn back once, however often it is said to be over', async () => {
    const bulkhead = new Bulkhead({ concurrent: 1, queued: 1 });
    const leave = await bulkhead.enter(never);
    const waiting = bulkhead.enter(never);
    leave();
    leave();
    await waiting;
    assert.deepEqual(counts(bulkhead), [1, 0]);
    await assert.rejects(
      Promise.race([bulkhead.enter(AbortSignal.abort(new Error('gone'))), Promise.reject(new Error('waits'))]),
    );
  });

  it('ends the wait of one whose signal is aborted, and takes no place for it', async () => {
    const bulkhead = new Bulkhead({ concurrent: 1, queued: 1 });
    const leave = await bulkhead.enter(never);
    const caller = new AbortController();
    const waiting = bulkhead.enter(caller.signal);
    caller.abort(new Error('gone'));
    await assert.rejects(waiting, { message: 'gone' });
    await assert.rejects(bulkhead.enter(AbortSignal.abort(new Error('gone before'))), { message: 'gone before' });
    assert.deepEqual(counts(bulkhead), [1, 0]);
    leave();
    assert.deepEqual(counts(bulkhead), [0, 0]);
  });

  it('ends every wait at once where it is told why, and lets those inside finish', async () => {
    const bulkhead = new Bulkhead({ concurrent: 1, queued: 8 });
    const leave = await bulkhead.enter(never);
    const waiting = [1, 2, 3].map(() => assert.rejects(bulkhead.enter(never), { message: 'it fails' }));
    bulkhead.refuse(() => new Error('it fails'));
    await Promise.all(waiting);
    assert.deepEqual(counts(bulkhead), [1, 0]);
    leave();
    (await bulkhead.enter(never))();
    assert.deepEqual(counts(bulkhead), [0, 0]);
  });

  it('keeps nothing of those who waited and have left', async () => {
    const bulkhead = new Bulkhead({ concurrent: 4, queued: 100 });
    const held: Promise<() => void>[] = [];
    const left = await leftBehind(2000, async () => {
      held.push(bulkhead.enter(Object.assign(new CallEnd(), { ballast: ballast(8192) })));
      if (held.length > 40) (await held.shift())?.();
    });
    assert.ok(left < 2 * 1024 * 1024, `${left} bytes are left behind`);
  });

  it('never holds more than it may, and is empty in the end, whoever leaves, gives up or is refused', async () => {
    const step = fc.constantFrom('enter', 'leave', 'give up', 'refuse');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 3 }), async (steps, concurrent, queued) => {
        const bulkhead = new Bulkhead({ concurrent, queued });
        const inside: (() => void)[] = [];
        const callers: AbortController[] = [];
        for (const one of steps) {
          if (one === 'enter') {
            const caller = new AbortController();
            callers.push(caller);
            bulkhead.enter(caller.signal).then((leave) => inside.push(leave), () => undefined);
          } else if (one === 'leave') inside.shift()?.();
          else if (one === 'give up') callers.pop()?.abort(new Error('gone'));
          else bulkhead.refuse(() => new Error('it fails'));
          await new Promise(setImmediate);
          assert.ok(bulkhead.underWay <= concurrent && bulkhead.waiting <= queued);
          assert.equal(inside.length, bulkhead.underWay);
        }
        bulkhead.refuse(() => new Error('over'));
        for (const leave of inside) leave();
        assert.deepEqual(counts(bulkhead), [0, 0]);
      }), // prettier-ignore
      { numRuns: 200 },
    );
  });
});
