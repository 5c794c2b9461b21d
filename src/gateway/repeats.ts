// Whether a call is tried again, and when: only where its platform says that this is safe, within its attempts and its time.
import { PaycertError } from '../errors.ts';
import type { Attempt } from './attempt.ts';
import type { Exchange } from './exchange.ts';

export interface RepeatOptions {
  /** How often a call is sent, in all: those that left nothing do not count. */
  readonly most: number;
  /** Whether its platform lets it be made again. */
  readonly mayRepeat: boolean;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly now: () => Date;
  /** Until its deadline. */
  readonly millisecondsLeft: () => number;
}

const firstPauseMilliseconds = 500;

/** Of one call. */
export class Repeats {
  readonly #options: RepeatOptions;
  readonly #attempts: readonly Attempt[];
  #pauses = 0;
  #isRepeated = false;
  #isSignedAgain = false;

  constructor(options: RepeatOptions, attempts: readonly Attempt[]) {
    this.#options = options;
    this.#attempts = attempts;
  }

  /** In how many milliseconds; undefined: this response is the call's. */
  afterResponse({ refused, headers, hasChanged }: Exchange): number | undefined {
    if (refused === undefined || !this.#isLeft()) return undefined;
    // A platform looks at the signature first, so whatever it was, it was not done.
    if (refused === 'signature') return !this.#isSignedAgain && hasChanged() ? this.#signAgain() : undefined;
    if (!this.#options.mayRepeat) return undefined;
    const pause = this.#pauseOf(headers['retry-after']);
    if (pause >= this.#options.millisecondsLeft()) return undefined;
    this.#pauses += 1;
    return pause;
  }

  /** Whether what ended so is worth another attempt: a connection that broke, a damaged response, a platform's own probe. */
  afterFailure(error: unknown): boolean {
    if (!this.#options.mayRepeat || this.#isRepeated || !this.#isLeft() || !isPassing(error)) return false;
    this.#isRepeated = true;
    return true;
  }

  #isLeft(): boolean {
    return this.#attempts.filter(({ outcome }) => outcome !== 'not-sent').length < this.#options.most;
  }

  #signAgain(): number {
    this.#isSignedAgain = true;
    return 0;
  }

  /** What the platform says; otherwise each time twice as long, by chance shorter, so that many do not come back at once. */
  #pauseOf(retryAfter: unknown): number {
    const told = typeof retryAfter === 'string' ? toldMilliseconds(retryAfter, this.#options.now()) : undefined;
    return told ?? firstPauseMilliseconds * 2 ** this.#pauses * (0.5 + this.#options.random() * 0.5);
  }
}

const isPassing = (error: unknown): boolean =>
  error instanceof PaycertError && (error.code === 'gateway-interrupted' || error.code === 'response-unverified');

/** Seconds, or a date (RFC 9110 §10.2.3). */
function toldMilliseconds(text: string, now: Date): number | undefined {
  if (/^\s*\d{1,9}\s*$/.test(text)) return Number(text) * 1000;
  const date = / GMT\s*$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(date - now.getTime(), 0);
}
