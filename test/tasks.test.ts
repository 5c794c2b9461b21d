// Long-lived things together: how a failure spreads, and which one is told.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runTasks, type Task } from '../src/tasks.ts';

const untilAborted: Task = (signal) =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

const never = new AbortController().signal;

describe('tasks', () => {
  it('all end when the signal aborts', async () => {
    const stop = new AbortController();
    const ended = runTasks([untilAborted, untilAborted], stop.signal);
    stop.abort();
    await ended;
  });

  it('stop when one of them fails, and its error is told', async () => {
    const failure = new Error('first');
    await assert.rejects(
      runTasks([untilAborted, async () => Promise.reject(failure)], never),
      (error) => error === failure,
    );
  });

  it('tell the failure that came first in time, not what followed from it', async () => {
    const failure = new Error('cause');
    const failsWhenStopped: Task = async (signal) => {
      await untilAborted(signal);
      throw new Error('consequence');
    };
    await assert.rejects(
      runTasks([failsWhenStopped, async () => Promise.reject(failure)], never),
      (error) => error === failure,
    );
  });

  it('turn a task that throws at once into a rejection', async () => {
    const thrower = (): Promise<void> => {
      throw new RangeError('at once');
    };
    await assert.rejects(runTasks([thrower], never), RangeError);
  });

  it('that end by themselves leave the others running', async () => {
    const stop = new AbortController();
    let hasEnded = false;
    const all = runTasks([async () => undefined, untilAborted], stop.signal).then(() => (hasEnded = true));
    await new Promise(setImmediate);
    assert.equal(hasEnded, false);
    stop.abort();
    await all;
  });
});
