// A wait ends with its time, with its signal or by its owner, and leaves nothing on the signal.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { pause, systemClock } from '../src/clock.ts';
import { FakeClock } from './support/fake-clock.ts';

const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('a wait', () => {
  it('is over when its time has passed', async () => {
    const clock = new FakeClock();
    const { over, end } = pause(clock, 1000, new AbortController().signal);
    clock.advance(1000);
    await over;
    end();
  });

  it('is over when its owner ends it', async () => {
    const { over, end } = pause(systemClock, 60_000, new AbortController().signal);
    end();
    await over;
  });

  it('is over when its signal aborts, and at once where it has', async () => {
    const stop = new AbortController();
    const { over } = pause(systemClock, 60_000, stop.signal);
    stop.abort();
    await over;
    await pause(systemClock, 60_000, stop.signal).over;
  });

  it('leaves nothing on a signal that outlives a thousand of them', () => {
    const { signal } = new AbortController();
    for (let count = 0; count < 1000; count += 1) pause(systemClock, 60_000, signal).end();
    assert.equal(listenersOf(signal), 0);
  });
});
