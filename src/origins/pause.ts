// After a failure nobody asks again for a while, so that a server that is down is not asked once per credential.
import type { Clock } from '../clock.ts';
import type { PaycertError } from '../errors.ts';

const shortestMilliseconds = 500;

export interface PauseOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly longestMilliseconds: number;
}

export class Pause {
  readonly #options: PauseOptions;
  #failures = 0;
  #current: { readonly error: PaycertError; readonly from: number; readonly milliseconds: number } | undefined;

  constructor(options: PauseOptions) {
    this.#options = options;
  }

  /** @throws the error that began the pause, while it lasts */
  assertOver(): void {
    if (this.#current === undefined) return;
    const { error, from, milliseconds } = this.#current;
    const passed = this.#options.clock.now().getTime() - from;
    // A clock that was set back must not make it longer.
    if (passed >= 0 && passed < milliseconds) throw error;
  }

  /** Each failure in a row makes it longer, up to a limit; by chance shorter, so that many do not come back at once. */
  begin(error: PaycertError): void {
    const { clock, random, longestMilliseconds } = this.#options;
    const milliseconds = Math.min(shortestMilliseconds * 2 ** this.#failures, longestMilliseconds);
    this.#failures = Math.min(this.#failures + 1, 16);
    this.#current = { error, from: clock.now().getTime(), milliseconds: milliseconds * (0.5 + random() * 0.5) };
  }

  end(): void {
    this.#failures = 0;
    this.#current = undefined;
  }
}
