// How many RSA operations may be in the thread pool; the rest wait their turn, lane by lane.

/** Who waits together: one per operation, so that a batch of 256 takes turns with a single request. */
export type FairnessKey = object;

interface Waiting {
  readonly starts: (() => void)[];
}

/**
 * Bounds work in the thread pool, which is shared with file reads: with the pool full of signatures, reading a mounted
 * Secret took 2.4 s; with at most twice the pool's size in it, 4 ms, for 2 % of throughput.
 * Lanes are served in rotation, each first come, first served.
 */
export class Limiter {
  readonly #limit: number;
  #running = 0;
  // Insertion order is the rotation: the lane served goes to the end.
  readonly #lanes = new Map<FairnessKey, Waiting>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  async run<T>(lane: FairnessKey, work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limit) await this.#wait(lane);
    else this.#running += 1;
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #wait(lane: FairnessKey): Promise<void> {
    const waiting = this.#lanes.get(lane) ?? { starts: [] };
    this.#lanes.set(lane, waiting);
    return new Promise((resolve) => waiting.starts.push(resolve));
  }

  // The one that ends hands its turn on, so nobody who comes later can overtake those who wait.
  #next(): void {
    for (const [lane, waiting] of this.#lanes) {
      this.#lanes.delete(lane);
      const start = waiting.starts.shift();
      if (start === undefined) continue;
      if (waiting.starts.length > 0) this.#lanes.set(lane, waiting);
      start();
      return;
    }
    this.#running -= 1;
  }
}

/** Twice the threads that sign: with fewer, some would wait for the event loop to give them the next one. */
export const poolLimiter = (threads: number): Limiter => new Limiter(2 * threads);
