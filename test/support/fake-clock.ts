// A clock whose time moves only when the test says so; sleepers wake in the order of their times.
import { type Clock, longestSleep } from '../../src/clock.ts';

interface Sleeper {
  readonly wakeAt: number;
  readonly wake: () => void;
}

export class FakeClock implements Clock {
  /** Timers follow this one: like the kernel's, it never jumps. */
  #elapsed = 0;
  #wall: number;
  readonly #sleepers = new Set<Sleeper>();
  #watchers: ((milliseconds: number) => void)[] = [];

  constructor(now: Date | string = '2026-11-22T00:00:00Z') {
    this.#wall = new Date(now).getTime();
  }

  now(): Date {
    return new Date(this.#wall);
  }

  sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wakeAt = this.#elapsed + Math.min(Math.max(milliseconds, 0), longestSleep);
      const sleeper = {
        wakeAt,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      if (signal.aborted) sleeper.wake();
      else signal.addEventListener('abort', sleeper.wake);
      for (const watcher of this.#watchers.splice(0)) watcher(milliseconds);
    });
  }

  /** The next call of `sleep` from now on: for how long. */
  nextSleep(): Promise<number> {
    return new Promise((resolve) => this.#watchers.push(resolve));
  }

  /** How long each sleeper still sleeps, the next to wake first. */
  get sleeping(): readonly number[] {
    return [...this.#sleepers].map(({ wakeAt }) => wakeAt - this.#elapsed).sort((a, b) => a - b);
  }

  /** Lets that much time pass. Who goes back to sleep meanwhile is not woken twice. */
  advance(milliseconds: number): void {
    const end = this.#elapsed + milliseconds;
    const due = [...this.#sleepers].filter(({ wakeAt }) => wakeAt <= end).sort((a, b) => a.wakeAt - b.wakeAt);
    for (const { wakeAt, wake } of due) {
      this.#move(wakeAt);
      wake();
    }
    this.#move(end);
  }

  /** Somebody sets the time of day: no timer notices. */
  jump(milliseconds: number): void {
    this.#wall += milliseconds;
  }

  #move(elapsed: number): void {
    this.#wall += elapsed - this.#elapsed;
    this.#elapsed = elapsed;
  }
}

/** Lets time pass, in steps of a real millisecond, until something is done; no more than so much, however long it takes. */
export async function passUntil(
  done: Promise<unknown>,
  clock: FakeClock,
  milliseconds = Infinity,
  step = 10,
): Promise<void> {
  const state = { isDone: false };
  void done.finally(() => (state.isDone = true)).catch(() => undefined);
  for (let passed = 0; !state.isDone; passed += step) {
    clock.advance(passed < milliseconds ? step : 0);
    // Nobody waits for a test that was given up.
    await new Promise((resolve) => setTimeout(resolve, 1).unref());
  }
}
