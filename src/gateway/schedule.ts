// One timer for many: runs what is due, a few at once, and sleeps until the next is.
import { type Clock, longestSleep, pause } from '../clock.ts';

export interface Scheduled {
  /** In milliseconds since 1970; undefined: not until that changes, which `wake` tells. */
  readonly dueAt: number | undefined;
  /** Never rejects. */
  run(): Promise<void>;
}

export interface ScheduleOptions {
  readonly clock: Clock;
  /** How many run at once. */
  readonly most: number;
}

/** Nothing is due later than that: a clock that was set back must not hold anything up for years. */
const longestMilliseconds = 48 * 60 * 60 * 1000;

export class Schedule {
  readonly #options: ScheduleOptions;
  readonly #items = new Set<Scheduled>();
  readonly #running = new Set<Scheduled>();
  #stop: AbortController | undefined;
  #wake: () => void = () => undefined;

  constructor(options: ScheduleOptions) {
    this.#options = options;
  }

  add(item: Scheduled): void {
    this.#items.add(item);
    this.wake();
    if (this.#stop !== undefined) return;
    this.#stop = new AbortController();
    void this.#loop(this.#stop.signal);
  }

  /** What runs ends by itself. Without any, there is no timer. */
  delete(item: Scheduled): void {
    this.#items.delete(item);
    if (this.#items.size > 0) return;
    this.#stop?.abort();
    this.#stop = undefined;
  }

  /** Looks again: something is due earlier than it was. */
  wake(): void {
    this.#wake();
  }

  async #loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const left = this.#startDue();
      const wait = pause(this.#options.clock, left, signal);
      this.#wake = wait.end;
      await wait.over;
      wait.end();
    }
  }

  /** How long nothing else is due. Who waits for another to end is woken by that. */
  #startDue(): number {
    const now = this.#options.clock.now().getTime();
    let shortest = longestSleep;
    for (const item of this.#items) {
      if (item.dueAt === undefined || this.#running.has(item)) continue;
      const left = item.dueAt - now;
      if (left > 0 && left <= longestMilliseconds) shortest = Math.min(shortest, left);
      else if (this.#running.size < this.#options.most) void this.#run(item);
    }
    return shortest;
  }

  async #run(item: Scheduled): Promise<void> {
    this.#running.add(item);
    await item.run();
    this.#running.delete(item);
    this.#wake();
  }
}
