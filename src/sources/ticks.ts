// Many notifications → one tick; a timer ticks when none come.
import { type Clock, pause } from '../clock.ts';
import type { Tick } from './source.ts';

export interface TicksOptions {
  readonly clock: Clock;
  readonly pollMilliseconds: number;
  /** Asked after a notification: how long it must stay quiet before it counts. 0 for writers that swap atomically. */
  readonly settleMilliseconds: () => number;
}

/** A writer that never stops must not keep a change from being seen. */
const longestSettling = 10;

/** Limiter `notify()` calls and a timer into ticks: one at the start, then one per burst of notifications or per poll. */
export class Ticks {
  readonly #options: TicksOptions;
  /** What was notified and not ticked yet; an event counts for more than what a poll found. */
  #pending: 'event' | 'poll' | undefined;
  #wake: (() => void) | undefined;

  constructor(options: TicksOptions) {
    this.#options = options;
  }

  /** `poll` for what was found by looking, and should have been reported by an event. */
  notify(kind: 'event' | 'poll' = 'event'): void {
    if (this.#pending !== 'event') this.#pending = kind;
    this.#wake?.();
  }

  async *read(signal: AbortSignal): AsyncGenerator<Tick, void, undefined> {
    yield 'start';
    for (;;) {
      const notified = await this.#notification(this.#options.pollMilliseconds, signal);
      if (notified === 'event') await this.#settle(signal);
      if (signal.aborted) return;
      yield notified ?? 'poll';
    }
  }

  async #settle(signal: AbortSignal): Promise<void> {
    const quiet = this.#options.settleMilliseconds();
    if (quiet === 0) return;
    for (let i = 0; i < longestSettling && (await this.#notification(quiet, signal)) !== undefined; i++);
  }

  /** What was notified within that time. */
  async #notification(milliseconds: number, signal: AbortSignal): Promise<'event' | 'poll' | undefined> {
    if (this.#pending === undefined) {
      const poll = pause(this.#options.clock, milliseconds, signal);
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), poll.over]);
      poll.end();
      this.#wake = undefined;
    }
    const notified = this.#pending;
    this.#pending = undefined;
    return notified;
  }
}
