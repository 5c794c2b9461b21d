// A bulkhead: at most so many calls of one credential to one host at once, and at most so many that wait for their turn.
import type { Ending } from '../store/call.ts';

export interface BulkheadOptions {
  readonly concurrent: number;
  readonly queued: number;
}

/** As many as may wait do so already. */
export class BulkheadFull extends Error {
  override readonly name = 'BulkheadFull';
}

/** Somebody who waits; the end of that wait. */
interface Waiting {
  readonly enter: () => void;
  readonly refuse: (error: Error) => void;
}

/** First come, first served. `store/limiter` shares out threads that are free within milliseconds; here a wait may have to end by itself. */
export class Bulkhead {
  readonly #options: BulkheadOptions;
  #underWay = 0;
  /** No `Set`, whose tables keep those who have come and gone until all garbage is collected. */
  readonly #waiting: Waiting[] = [];

  constructor(options: BulkheadOptions) {
    this.#options = options;
  }

  get underWay(): number {
    return this.#underWay;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Call what it returns, once or more, when the turn is over.
   * @throws BulkheadFull; what `signal` is aborted with, and what `refuse` is called with, while it waits
   */
  async enter(signal: Ending): Promise<() => void> {
    const leave = this.enterNow();
    if (leave !== undefined) return leave;
    await this.#wait(signal);
    return this.#inside();
  }

  /** The same where there is room, as there nearly always is; undefined where there is none. */
  enterNow(): (() => void) | undefined {
    if (this.#underWay >= this.#options.concurrent) return undefined;
    this.#underWay += 1;
    return this.#inside();
  }

  #inside(): () => void {
    let isInside = true;
    return () => {
      if (isInside) this.#leave();
      isInside = false;
    };
  }

  /** Ends the wait of each who waits. */
  refuse(why: () => Error): void {
    for (const waiting of [...this.#waiting]) waiting.refuse(why());
  }

  #wait(signal: Ending): Promise<void> {
    if (this.#waiting.length >= this.#options.queued) throw new BulkheadFull();
    if (signal.aborted) throw signal.reason;
    return new Promise((resolve, reject) => {
      const ends = (): void => {
        signal.removeEventListener('abort', gone);
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#waiting.splice(at, 1);
      };
      const waiting: Waiting = {
        enter() {
          ends();
          resolve();
        },
        refuse(error) {
          ends();
          reject(error);
        },
      };
      const gone = { handleEvent: () => waiting.refuse(signal.reason as Error) };
      signal.addEventListener('abort', gone);
      this.#waiting.push(waiting);
    });
  }

  /** The turn is handed on, so that nobody who comes later overtakes those who wait. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#underWay -= 1;
    else next.enter();
  }
}
