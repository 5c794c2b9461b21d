// When to list beside a watch: spread over the whole period, and not put off by a watch that is renewed before.
import type { Clock } from '../clock.ts';

export interface RelistTimerOptions {
  readonly clock: Clock;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  /** How often to list, about. */
  readonly relistMilliseconds: number;
}

export class RelistTimer {
  readonly #options: RelistTimerOptions;
  #stop = new AbortController();
  #due: Promise<void> | undefined;

  constructor(options: RelistTimerOptions) {
    this.#options = options;
  }

  /** Everything has just been listed. Hundreds start together, and their next lists must not come together. */
  spread(signal: AbortSignal): void {
    this.#start(this.#options.random(), signal);
  }

  /** The list that was due has been made. */
  restart(signal: AbortSignal): void {
    this.#start(0.8 + this.#options.random() * 0.2, signal);
  }

  #start(share: number, signal: AbortSignal): void {
    const { clock, relistMilliseconds } = this.#options;
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#due = clock.sleep(relistMilliseconds * share, AbortSignal.any([signal, this.#stop.signal]));
  }

  /** Resolves when a list is due, or on abort. */
  async due(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([this.#due, aborted]);
  }
}
