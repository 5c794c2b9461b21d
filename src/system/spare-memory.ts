// Memory that only the start of a process needed goes back to the system: once, in its first second, before anybody calls.
import { getHeapStatistics } from 'node:v8';
import type { Clock } from '../clock.ts';
import { openCollector } from './collector.ts';

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

const processHeap = (): Heap => ({
  size: () => getHeapStatistics().total_heap_size,
  collect: () => openCollector()({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
});
