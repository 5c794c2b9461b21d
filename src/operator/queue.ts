// Keys that want to be looked at: each once at a time however often it is added, and again after a pause when looking failed.
import type { Clock } from '../clock.ts';

export interface QueueOptions {
  readonly clock: Clock;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  /** Looks at one key. What it gives is after how many milliseconds to look again, if nothing happens before. */
  readonly look: (key: string, signal: AbortSignal) => Promise<number | undefined>;
  /** Told of what `look` throws; the key is looked at again. */
  readonly failed: (key: string, error: unknown) => void;
}

const shortestBackoff = 500;
/** So that a permission that is granted again is noticed within a minute. */
const longestBackoff = 30_000;

export class Queue {
  readonly #options: QueueOptions;
  readonly #ready = new Set<string>();
  readonly #busy = new Set<string>();
  /** Added while they were looked at: what was seen may be older than why they were added. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, AbortController>();
  readonly #failures = new Map<string, number>();
  #idle: (() => void)[] = [];

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** How many wait to be looked at. */
  get size(): number {
    return this.#ready.size + this.#again.size;
  }

  add(key: string): void {
    this.#undelay(key);
    if (this.#busy.has(key)) this.#again.add(key);
    else this.#ready.add(key);
    this.#idle.shift()?.();
  }

  /** Looks at keys, so many at once, until abort; ends when the last look has. */
  async run(workers: number, signal: AbortSignal): Promise<void> {
    const wakeAll = () => this.#idle.splice(0).forEach((wake) => wake());
    signal.addEventListener('abort', wakeAll);
    await Promise.all(Array.from({ length: workers }, () => this.#work(signal)));
    signal.removeEventListener('abort', wakeAll);
    for (const key of [...this.#delayed.keys()]) this.#undelay(key);
  }

  async #work(signal: AbortSignal): Promise<void> {
    const isOver = () => signal.aborted;
    while (!isOver()) {
      const [key] = this.#ready;
      if (key === undefined) {
        await new Promise<void>((resolve) => this.#idle.push(resolve));
        continue;
      }
      this.#ready.delete(key);
      this.#busy.add(key);
      const pause = await this.#look(key, signal);
      this.#busy.delete(key);
      if (this.#again.delete(key)) this.add(key);
      else if (pause !== undefined && !isOver()) this.#delay(key, pause);
    }
  }

  async #look(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { look, failed, random } = this.#options;
    try {
      const pause = await look(key, signal);
      this.#failures.delete(key);
      return pause;
    } catch (error) {
      if (signal.aborted) return undefined;
      failed(key, error);
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      return Math.min(shortestBackoff * 2 ** (failures - 1), longestBackoff) * (0.5 + random() / 2);
    }
  }

  #delay(key: string, milliseconds: number): void {
    const stop = new AbortController();
    this.#delayed.set(key, stop);
    // The clock wakes after an hour at the latest, which is no more than one look too many.
    void this.#options.clock.sleep(milliseconds, stop.signal).then(() => {
      if (!stop.signal.aborted) this.add(key);
    });
  }

  #undelay(key: string): void {
    this.#delayed.get(key)?.abort();
    this.#delayed.delete(key);
  }
}
