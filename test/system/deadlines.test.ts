// Deadlines of calls: each comes in time, once, and a timer is left behind by none.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Deadlines } from '../../src/system/deadlines.ts';
import { settled } from '../support/audited.ts';

function scene() {
  let now = 0;
  const timers = new Set<{ readonly at: number; readonly end: () => void }>();
  const clock = {
    now: () => new Date(now),
    sleep: (milliseconds: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        const end = () => {
          timers.delete(timer);
          resolve();
        };
        const timer = { at: now + milliseconds, end };
        timers.add(timer);
        signal.addEventListener('abort', timer.end);
      }),
  };
  const pass = async (milliseconds: number) => {
    now += milliseconds;
    for (const timer of [...timers]) if (timer.at <= now) timer.end();
    await settled();
  };
  const deadlines = new Deadlines({ clock, milliseconds: () => now, deadlineMilliseconds: 30_000 });
  const late: string[] = [];
  const begin = (name: string) => deadlines.begin(() => late.push(name));
  return { begin, late, pass, timers };
}

describe('the deadlines of calls', () => {
  it('come a hundredth early at most, and never late', async () => {
    const { begin, late, pass } = scene();
    begin('first');
    await pass(200);
    begin('with it');
    await pass(100);
    begin('after it');
    await pass(29_699);
    assert.deepEqual(late, []);
    await pass(1);
    assert.deepEqual(late, ['first', 'with it']);
    await pass(300);
    assert.deepEqual(late, ['first', 'with it', 'after it']);
  });

  it('do not come for a call that is over, whoever began with it', async () => {
    const { begin, late, pass } = scene();
    const over = begin('over');
    begin('not over');
    over();
    over();
    await pass(30_000);
    assert.deepEqual(late, ['not over']);
  });

  it('leave no timer when all calls are over, and come for the next one in its own time', async () => {
    const { begin, late, pass, timers } = scene();
    begin('over')();
    assert.equal(timers.size, 0);
    await pass(200);
    begin('next');
    await pass(29_999);
    assert.deepEqual(late, []);
    await pass(1);
    assert.deepEqual([late, timers.size], [['next'], 0]);
  });
});
