// One timer for many: thousands that are due together take turns, and a clock that jumps holds nothing up.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Schedule } from '../../src/gateway/schedule.ts';
import { FakeClock } from '../support/fake-clock.ts';

const minute = 60_000;
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Due once a minute; each run lasts until the test ends it. */
function makeItem(clock: FakeClock, every = minute) {
  const item = {
    dueAt: clock.now().getTime() as number | undefined,
    runs: 0,
    end: (): void => undefined,
    run(): Promise<void> {
      item.runs += 1;
      item.dueAt = clock.now().getTime() + every;
      return new Promise((resolve) => (item.end = resolve));
    },
  };
  return item;
}

describe('a schedule', () => {
  it('runs thousands with one timer, a few at a time', async () => {
    const clock = new FakeClock();
    const schedule = new Schedule({ clock, most: 8 });
    const items = Array.from({ length: 3000 }, () => makeItem(clock));
    for (const item of items) schedule.add(item);
    await settled();
    assert.equal(clock.sleeping.length, 1);
    const started = () => items.filter(({ runs }) => runs > 0);
    assert.equal(started().length, 8);
    for (const item of started()) item.end();
    await settled();
    assert.equal(started().length, 16);
    while (started().length < items.length) {
      for (const item of started()) item.end();
      await settled();
    }
    assert.ok(items.every(({ runs }) => runs === 1));
    for (const item of items) schedule.delete(item);
    await settled();
    assert.deepEqual(clock.sleeping, []);
  });

  it('sleeps until the next is due, and looks again when one is due earlier', async () => {
    const clock = new FakeClock();
    const schedule = new Schedule({ clock, most: 8 });
    const [soon, late] = [makeItem(clock), makeItem(clock)];
    soon.dueAt = clock.now().getTime() + 5 * minute;
    late.dueAt = undefined;
    schedule.add(soon);
    schedule.add(late);
    await settled();
    assert.deepEqual(clock.sleeping, [5 * minute]);
    late.dueAt = clock.now().getTime();
    schedule.wake();
    await settled();
    assert.deepEqual([soon.runs, late.runs], [0, 1]);
    clock.advance(5 * minute);
    await settled();
    assert.equal(soon.runs, 1);
    schedule.delete(soon);
    schedule.delete(late);
  });

  it('runs what would be due in years, after the clock was set back', async () => {
    const clock = new FakeClock();
    const schedule = new Schedule({ clock, most: 8 });
    const item = makeItem(clock);
    item.dueAt = clock.now().getTime() + minute;
    schedule.add(item);
    clock.jump(-1000 * 24 * 60 * minute);
    clock.advance(minute);
    await settled();
    assert.equal(item.runs, 1);
    schedule.delete(item);
  });

  it('never runs one twice at once', async () => {
    const clock = new FakeClock();
    const schedule = new Schedule({ clock, most: 8 });
    const item = makeItem(clock, 0);
    schedule.add(item);
    schedule.wake();
    await settled();
    assert.equal(item.runs, 1);
    item.end();
    await settled();
    assert.equal(item.runs, 2);
    schedule.delete(item);
    item.end();
  });
});
