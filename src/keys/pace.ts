// How much a key service is asked that limits us: half after it has refused for that, with a pause, and slowly more again.

const [shortestMilliseconds, longestMilliseconds] = [100, 1600];

export interface PaceOptions {
  /** The most that may be under way. */
  readonly concurrent: number;
  readonly random: () => number;
}

export class Pace {
  readonly #options: PaceOptions;
  #allowed: number;
  #pauseMilliseconds = shortestMilliseconds;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#allowed = options.concurrent;
  }

  /** How many may be under way. */
  get allowed(): number {
    return Math.floor(this.#allowed);
  }

  /** The milliseconds to send nothing for; by chance fewer, since other pods share the limit and must not come back at once. */
  refused(): number {
    const milliseconds = this.#pauseMilliseconds * (0.5 + this.#options.random() * 0.5);
    this.#allowed = Math.max(this.#allowed / 2, 1);
    this.#pauseMilliseconds = Math.min(this.#pauseMilliseconds * 2, longestMilliseconds);
    return milliseconds;
  }

  /** One more at once, after as many as may be now. */
  served(): void {
    this.#allowed = Math.min(this.#allowed + 1 / this.#allowed, this.#options.concurrent);
    this.#pauseMilliseconds = shortestMilliseconds;
  }
}
