// Keys to reconcile, fair by namespace: each at most once at a time however often it is added, and again after a pause when that failed.
import type { Clock } from '../clock.ts';
import { FairSet } from './fair-set.ts';
import type { ResourceKey } from './resource-key.ts';

export interface QueueOptions {
  readonly clock: Clock;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  /** Reconciles one key. The result: after how many milliseconds to do so again, if nothing happens before. */
  readonly reconcile: (key: ResourceKey, signal: AbortSignal) => Promise<number | undefined>;
  /** Called with what `reconcile` throws; the key is tried again. */
  readonly failed: (key: ResourceKey, error: unknown) => void;
}

const shortestBackoff = 500;
/** So that a permission that is granted again is noticed within a minute. */
const longestBackoff = 30_000;

/** Maps and sets are keyed by the key's text. */
export class Queue {
  readonly #options: QueueOptions;
  readonly #ready = new FairSet();
  readonly #busy = new Set<string>();
  /** Added while they were reconciled: what was seen may be older than the reason to add them. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, AbortController>();
  readonly #failures = new Map<string, number>();
  #idle: (() => void)[] = [];

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** How many wait. */
  get size(): number {
    return this.#ready.size + this.#again.size;
  }

  /** Whether each key that was added has been reconciled, or failed and waits to be tried again. */
  get isIdle(): boolean {
    return this.size === 0 && this.#busy.size === 0;
  }

  add(key: ResourceKey): void {
    const id = key.toString();
    this.#undelay(id);
    if (this.#busy.has(id)) this.#again.add(id);
    else this.#ready.add(key);
    this.#idle.shift()?.();
  }

  /** Reconciles keys, so many at once, until abort; ends when the last one is done. */
  async run(workers: number, signal: AbortSignal): Promise<void> {
    const wakeAll = () => this.#idle.splice(0).forEach((wake) => wake());
    signal.addEventListener('abort', wakeAll);
    // One namespace never has all of them: what another one adds is begun at once.
    const most = workers - Math.floor(workers / 4);
    await Promise.all(Array.from({ length: workers }, () => this.#work(most, signal)));
    signal.removeEventListener('abort', wakeAll);
    for (const id of [...this.#delayed.keys()]) this.#undelay(id);
  }

  async #work(most: number, signal: AbortSignal): Promise<void> {
    const isOver = () => signal.aborted;
    while (!isOver()) {
      const key = this.#ready.take(most);
      if (key === undefined) {
        await new Promise<void>((resolve) => this.#idle.push(resolve));
        continue;
      }
      const id = key.toString();
      this.#busy.add(id);
      const pause = await this.#reconcile(id, key, signal);
      this.#busy.delete(id);
      this.#ready.giveBack(key);
      if (this.#again.delete(id)) this.add(key);
      else if (pause !== undefined && !isOver()) this.#delay(id, key, pause);
    }
  }

  async #reconcile(id: string, key: ResourceKey, signal: AbortSignal): Promise<number | undefined> {
    const { reconcile, failed, random } = this.#options;
    try {
      const pause = await reconcile(key, signal);
      this.#failures.delete(id);
      return pause;
    } catch (error) {
      if (signal.aborted) return undefined;
      failed(key, error);
      const failures = (this.#failures.get(id) ?? 0) + 1;
      this.#failures.set(id, failures);
      return Math.min(shortestBackoff * 2 ** (failures - 1), longestBackoff) * (0.5 + random() / 2);
    }
  }

  #delay(id: string, key: ResourceKey, milliseconds: number): void {
    const stop = new AbortController();
    this.#delayed.set(id, stop);
    // The clock wakes after an hour at the latest, which costs no more than one reconciliation too many.
    void this.#options.clock.sleep(milliseconds, stop.signal).then(() => {
      if (!stop.signal.aborted) this.add(key);
    });
  }

  #undelay(id: string): void {
    this.#delayed.get(id)?.abort();
    this.#delayed.delete(id);
  }
}
