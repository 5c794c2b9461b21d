// So many calls a second, and so many more at once after a quiet time: who comes later waits for a turn of its own.
import type { Clock } from '../clock.ts';

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export class RateLimit {
  readonly #interval: number;
  readonly #tolerance: number;
  readonly #clock: Clock;
  /** When the last turn that was given would have come at an even pace (GCRA). */
  #paced = 0;
  #seen = 0;

  constructor({ perSecond, burst }: Rate, clock: Clock) {
    this.#interval = 1000 / perSecond;
    this.#tolerance = this.#interval * (burst - 1);
    this.#clock = clock;
  }

  /** Resolves when it is the caller's turn, in the order of the calls, or on abort. */
  async wait(signal: AbortSignal): Promise<void> {
    const delay = this.#delay();
    this.#paced += this.#interval;
    if (delay > 0) await this.#clock.sleep(delay, signal);
  }

  /** Whether it is the caller's turn now; if not, nothing is taken. */
  tryTake(): boolean {
    if (this.#delay() > 0) return false;
    this.#paced += this.#interval;
    return true;
  }

  #delay(): number {
    const now = this.#clock.now().getTime();
    // A clock that was set back must not make anybody wait for its return.
    if (now < this.#seen) this.#paced = now;
    this.#seen = now;
    this.#paced = Math.max(this.#paced, now);
    return this.#paced - now - this.#tolerance;
  }
}
