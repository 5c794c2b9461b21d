// Many notifications → one tick; a timer ticks when none come.
import type { Clock } from '../clock.ts';
import type { Tick } from './source.ts';

export interface TicksOptions {
  readonly clock: Clock;
  readonly pollMilliseconds: number;
  /** Asked after a notification: how long it must stay quiet before it counts. 0 for writers that swap atomically. */
  readonly settleMilliseconds: () => number;
}

/** A writer that never stops must not keep a change from being seen. */
const longestSettling = 10;

/** Turns `notify()` calls and a timer into ticks: one at the start, then one per burst of notifications or per poll. */
export class Ticks {
  readonly #options: TicksOptions;
  #notifications = 0;
  #wake: (() => void) | undefined;

  constructor(options: TicksOptions) {
    this.#options = options;
  }

  notify(): void {
    this.#notifications += 1;
    this.#wake?.();
  }

  async *read(signal: AbortSignal): AsyncGenerator<Tick, void, undefined> {
    yield 'start';
    for (;;) {
      const isEvent = await this.#notification(this.#options.pollMilliseconds, signal);
      if (isEvent) await this.#settle(signal);
      if (signal.aborted) return;
      yield isEvent ? 'event' : 'poll';
    }
  }

  async #settle(signal: AbortSignal): Promise<void> {
    const quiet = this.#options.settleMilliseconds();
    if (quiet === 0) return;
    for (let i = 0; i < longestSettling && (await this.#notification(quiet, signal)); i++);
  }

  /** Whether there was a notification within that time. */
  async #notification(milliseconds: number, signal: AbortSignal): Promise<boolean> {
    if (this.#notifications === 0) {
      const timeout = new AbortController();
      await Promise.race([
        new Promise<void>((resolve) => (this.#wake = resolve)),
        this.#options.clock.sleep(milliseconds, AbortSignal.any([signal, timeout.signal])),
      ]);
      timeout.abort();
      this.#wake = undefined;
    }
    const count = this.#notifications;
    this.#notifications = 0;
    return count > 0;
  }
}
