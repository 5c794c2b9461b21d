// Memory that nobody needs any more goes back to the system once the process has come to rest: after its start, and after a rush.
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../clock.ts';

/** V8's heap, as much as this needs of it. */
export interface Heap {
  /** What it holds of the system's memory, in bytes. */
  readonly size: () => number;
  /** Collects all garbage, and gives back what is free then. Nothing else runs meanwhile: some 50 ms for a heap of 20 MB. */
  readonly collect: () => void;
}

export interface SpareMemoryOptions {
  readonly clock: Clock;
  /** Default: that of this process. */
  readonly heap?: Heap;
}

const mebibyte = 1024 * 1024;
/** Without an event for so long it is at rest. */
const restMilliseconds = 1000;
/** Nobody who comes once in a while pays for it each time. */
const pauseMilliseconds = 60_000;
/** Less is not worth it. */
const least = 4 * mebibyte;
/** A larger one holds up for longer, for the same few megabytes. */
const most = 48 * mebibyte;

/** V8 gives nothing back of what new objects are made in unless it must: at rest, that is a fifth of a sidecar's own memory. */
export class SpareMemory {
  readonly #clock: Clock;
  readonly #heap: Heap;
  readonly #ended = new AbortController();
  #isBusy = false;
  #isWatching = false;
  #kept = 0;
  #collectedAt = -Infinity;

  constructor({ clock, heap = processHeap() }: SpareMemoryOptions) {
    this.#clock = clock;
    this.#heap = heap;
  }

  /** Hears that something happened. */
  note(): void {
    this.#isBusy = true;
    if (!this.#isWatching) void this.#watch();
  }

  close(): void {
    this.#ended.abort();
  }

  async #watch(): Promise<void> {
    this.#isWatching = true;
    const { signal } = this.#ended;
    while (this.#isBusy && !signal.aborted) {
      this.#isBusy = false;
      await this.#clock.sleep(restMilliseconds, signal);
    }
    this.#isWatching = false;
    if (!signal.aborted) this.#giveBack();
  }

  #giveBack(): void {
    const now = this.#clock.now().getTime();
    // A clock that was set back is no reason to wait.
    if (now >= this.#collectedAt && now < this.#collectedAt + pauseMilliseconds) return;
    const size = this.#heap.size();
    if (size < this.#kept + least || size > most) return;
    this.#heap.collect();
    this.#collectedAt = now;
    this.#kept = this.#heap.size();
  }
}

type Collect = (how: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void;

/** The function is there in a context that is made while the flag is set, and the flag is part of what compiled code is cached by. */
function processHeap(): Heap {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return {
    size: () => getHeapStatistics().total_heap_size,
    collect: () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
  };
}
