// Work that begins after a poll: in the order in which it was asked for, and in one turn no more than a few milliseconds of it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Polls } from '../../src/server/after-poll.ts';

const begun = (polls: Polls): Promise<void> => new Promise((begin) => polls.after(begin));

/** So many pieces of work, each of that many milliseconds of a clock that only work moves. */
async function run(pieces: number, milliseconds: number) {
  const clock = { now: 0 };
  const polls = new Polls(() => clock.now);
  const order: number[] = [];
  let count = 0;
  const work = Array.from({ length: pieces }, async (_, index) => {
    await begun(polls);
    order.push(index);
    clock.now += milliseconds;
    count += 1;
  });
  const inTurns: number[] = [];
  for (let before = 0; count < pieces; before = count) {
    await turn();
    if (count > before) inTurns.push(count - before);
  }
  await Promise.all(work);
  return { order, inTurns };
}

describe('work that waits for a poll', () => {
  it('begins in one turn where it is quick', async () => {
    const { order, inTurns } = await run(200, 0.01);
    assert.deepEqual(
      order,
      Array.from({ length: 200 }, (_, index) => index),
    );
    assert.equal(inTurns.length, 1);
  });

  it('is divided among turns where it is not, in the order in which it was asked for', async () => {
    const { order, inTurns } = await run(200, 2);
    assert.deepEqual(
      order,
      Array.from({ length: 200 }, (_, index) => index),
    );
    assert.ok(Math.max(...inTurns) <= 8, inTurns.join());
  });

  it('waits for one whole turn at least', async () => {
    const polls = new Polls(() => 0);
    let [turns, isBegun] = [0, false];
    const begins = begun(polls).then(() => (isBegun = true));
    for (; !isBegun; turns += 1) await turn();
    await begins;
    assert.ok(turns >= 2);
  });

  it('waits for another where that one was cut short, since a caller’s end may be unread, but not while all of them are', async () => {
    for (const cuts of [1, 3, 100]) {
      const polls = new Polls(() => 0);
      let [turns, isBegun] = [0, false];
      const begins = begun(polls).then(() => (isBegun = true));
      for (; !isBegun; turns += 1) {
        // In the polls from the second on, which is the first whole one.
        if (turns > 0 && turns <= cuts) polls.cut();
        await turn();
      }
      await begins;
      assert.equal(turns, 2 + Math.min(cuts, 4), String(cuts));
    }
  });
});
