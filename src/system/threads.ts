// Calls that wait in libuv's thread pool for a disk or a name server: bounded, so that threads are always left for signatures.
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lane, lanesOf, memoryLane } from './lanes.ts';
import { foreignPart, poolSize } from './pool-size.ts';

interface Waiting {
  readonly lane: Lane;
  readonly start: () => void;
}

/** Grants threads to lanes, first come, first served among those that may have one. */
export class Threads {
  readonly #most: number;
  readonly #held = new Map<Lane, number>();
  #all = 0;
  readonly #kept = new Set<Lane>();
  readonly #waiting: Waiting[] = [];
  readonly #released: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get isHeld(): boolean {
    return this.#all > 0;
  }

  /** When no foreign call holds a thread: never, while one hangs. */
  async whenFree(): Promise<void> {
    while (this.isHeld) await new Promise<void>((free) => this.#released.push(free));
  }

  async run<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
    if (lane === memoryLane) return work();
    if (lane.isKept) this.#kept.add(lane);
    if (this.#isFree(lane)) this.#count(lane, 1);
    else await new Promise<void>((start) => this.#waiting.push({ lane, start }));
    try {
      return await work();
    } finally {
      this.#count(lane, -1);
      this.#startNext();
      for (const free of this.#released.splice(0)) free();
    }
  }

  #isFree(lane: Lane): boolean {
    return this.#all < this.#roomFor(lane) && lanesOf(lane).every((one) => this.#heldBy(one) < one.most);
  }

  /** All threads but those that are kept for other lanes, and not in use. */
  #roomFor(lane: Lane): number {
    let room = this.#most;
    for (const kept of this.#kept) if (kept !== lane) room -= kept.most - this.#heldBy(kept);
    return Math.max(room, 1);
  }

  #heldBy(lane: Lane): number {
    return this.#held.get(lane) ?? 0;
  }

  #count(lane: Lane, change: 1 | -1): void {
    this.#all += change;
    for (const one of lanesOf(lane)) {
      const held = this.#heldBy(one) + change;
      // A lane ends with its source.
      if (held === 0) this.#held.delete(one);
      else this.#held.set(one, held);
    }
  }

  #startNext(): void {
    const index = this.#waiting.findIndex(({ lane }) => this.#isFree(lane));
    const [next] = index === -1 ? [] : this.#waiting.splice(index, 1);
    if (next === undefined) return;
    this.#count(next.lane, 1);
    next.start();
  }
}

let threads: Threads | undefined;

/** Whether a foreign call still holds a thread after that time; as soon as none does, no. */
export async function isForeignHung(milliseconds: number): Promise<boolean> {
  if (threads?.isHeld !== true) return false;
  const patience = new AbortController();
  const late = sleep(milliseconds, undefined, { signal: patience.signal }).catch(() => undefined);
  await Promise.race([threads.whenFree(), late]);
  patience.abort();
  return threads.isHeld;
}

/** Runs a call that waits for something foreign in the pool of this process. */
export function runForeign<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
  threads ??= new Threads(foreignPart(poolSize(process.env), availableParallelism()));
  return threads.run(lane, work);
}
