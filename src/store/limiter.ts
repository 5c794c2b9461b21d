// How many RSA operations may be in the thread pool; the rest wait their turn, lane by lane.
import { type Alone, callerGone, type Gone, promised } from './call.ts';

/** Who waits together: one per call, so that a batch of 256 takes turns with a single request. */
export interface FairnessKey {
  /** Aborted when nobody waits for the result: what has not started then never does. */
  readonly signal?: Gone | undefined;
  /** Absent: it never is. */
  readonly alone?: Alone | undefined;
}

interface Start {
  readonly begin: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Bounds work in the thread pool, which is shared with file reads: with the pool full of signatures, reading a mounted
 * Secret took 2.4 s; with at most twice the pool's size in it, 4 ms, for 2 % of throughput.
 * Lanes are served in rotation, each first come, first served. Those that have been given nothing since they began to wait come
 * first, so that a single request does not wait for one of each batch; to the others it makes little difference.
 */
export class Limiter {
  readonly #limit: number;
  #running = 0;
  /** Of each lane that waits. Weak, and the queues are arrays: a `Map` in which each call comes and goes keeps calls that are over. */
  readonly #waiting = new WeakMap<FairnessKey, Start[]>();
  /** Given nothing yet, first come, first served. */
  readonly #fresh: FairnessKey[] = [];
  /** In the order of their rotation: the lane served goes to the end. */
  readonly #lanes: FairnessKey[] = [];
  /** How many turns fresh lanes have had since one in the rotation had its own. */
  #overtaken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Rejects with `caller-gone`, without running it, when its caller has gone before its turn. A call that is alone gets `here`, at once:
   * for it the way to another thread and back is a twelfth of the whole.
   */
  run<T>(lane: FairnessKey, work: () => Promise<T>, here?: () => T): Promise<T> {
    if (lane.signal?.aborted === true) return Promise.reject(callerGone());
    if (here !== undefined && this.#running === 0 && lane.alone?.isAlone === true)
      return promised(() => Promise.resolve(here()));
    if (this.#running < this.#limit) {
      this.#running += 1;
      return this.#begin(work);
    }
    const waiting = this.#waiting.get(lane) ?? [];
    if (waiting.length === 0) {
      this.#waiting.set(lane, waiting);
      this.#fresh.push(lane);
    }
    return new Promise((resolve, reject) => {
      waiting.push({ begin: () => void this.#begin(work).then(resolve, reject), reject });
    });
  }

  /** Not written with await: each signature would make two more promises, which outlive its wait. */
  #begin<T>(work: () => Promise<T>): Promise<T> {
    const running = promised(work);
    running.then(this.#next, this.#next);
    return running;
  }

  // The one that ends hands its turn on, so nobody who comes later can overtake those who wait.
  readonly #next = (): void => {
    for (let start = this.#take(); start !== 'nobody'; start = this.#take()) {
      if (start === undefined) continue;
      start.begin();
      return;
    }
    this.#running -= 1;
  };

  /** Whose turn it is; undefined where nobody waits for that call any more. */
  #take(): Start | 'nobody' | undefined {
    const lanes = this.#isFreshNext() ? this.#fresh : this.#lanes;
    const lane = lanes.shift();
    if (lane === undefined) return 'nobody';
    const waiting = this.#waiting.get(lane) ?? [];
    if (lane.signal?.aborted === true) {
      this.#waiting.delete(lane);
      for (const { reject } of waiting) reject(callerGone());
      return undefined;
    }
    this.#overtaken = lanes === this.#fresh && this.#lanes.length > 0 ? this.#overtaken + 1 : 0;
    const start = waiting.shift();
    if (waiting.length > 0) this.#lanes.push(lane);
    else this.#waiting.delete(lane);
    return start;
  }

  /** Each lane in the rotation is overtaken no more often than the whole queue is long beside the rotation: it is never starved. */
  #isFreshNext(): boolean {
    const [fresh, rotating] = [this.#fresh.length, this.#lanes.length];
    return fresh > 0 && (rotating === 0 || this.#overtaken < Math.ceil((fresh + rotating) / rotating));
  }
}

/**
 * Twice the `threads` that sign: with fewer, some would wait for the event loop to give them the next one. Of `all` that the pool has,
 * the others sign too while nothing foreign holds them: where they are few, they find the next one as well, since a thread
 * that sleeps after each signature costs a twentieth of one.
 */
export const poolLimiter = (threads: number, all = threads): Limiter =>
  new Limiter(all <= 2 * threads ? threads + all : 2 * threads);
