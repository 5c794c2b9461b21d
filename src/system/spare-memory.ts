// Memory that only the start of a process needed goes back to the system: once, in its first second, before anybody calls.
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
  /** Whether somebody has called already: then nobody is held up. */
  readonly isServing: () => boolean;
  /** Default: that of this process. */
  readonly heap?: Heap;
}

/** What is read and parsed at the start has been by then. */
const afterStart = 1000;
/** A larger one holds up for longer, for the same few megabytes. */
const most = 48 * 1024 * 1024;

/** V8 gives nothing back of what new objects are made in unless it must: after a start, that is a fifth of a sidecar's own memory. */
export async function giveBackSpareMemory(
  { clock, isServing, heap = processHeap() }: SpareMemoryOptions,
  signal: AbortSignal,
): Promise<void> {
  await clock.sleep(afterStart, signal);
  if (!signal.aborted && !isServing() && heap.size() <= most) heap.collect();
}

type Collect = (how: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void;

/** The function is there in a context that is made while the flag is set, and the flag is part of what compiled code is cached by. */
function processHeap(): Heap {
  return {
    size: () => getHeapStatistics().total_heap_size,
    collect: () => {
      setFlagsFromString('--expose-gc');
      const collect = runInNewContext('gc') as Collect;
      setFlagsFromString('--no-expose-gc');
      collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    },
  };
}
