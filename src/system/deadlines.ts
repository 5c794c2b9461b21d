// When the time of a call is over: those that begin together share one timer.
// One for each, and the signal that ends it, take as long as a response takes to parse. All calls of one client have as much time.
import type { Clock } from '../clock.ts';

export interface DeadlinesOptions {
  readonly clock: Clock;
  /** A clock that never goes back. */
  readonly milliseconds: () => number;
  readonly deadlineMilliseconds: number;
}

interface Group {
  readonly startedAt: number;
  readonly late: Set<() => void>;
  readonly over: AbortController;
}

/** One for all: Node would make an error with its stack for each. */
const done = new DOMException('the calls are over', 'AbortError');

export class Deadlines {
  readonly #options: DeadlinesOptions;
  #latest: Group | undefined;

  constructor(options: DeadlinesOptions) {
    this.#options = options;
  }

  /** Calls `late` at the deadline, or at most a hundredth of it earlier, unless the call is over before: then call what this returns. */
  begin(late: () => void): () => void {
    const group = this.#groupNow();
    group.late.add(late);
    return () => {
      // No timer is left behind that would keep the process.
      if (!group.late.delete(late) || group.late.size > 0) return;
      this.#close(group);
      group.over.abort(done);
    };
  }

  #groupNow(): Group {
    const { clock, milliseconds, deadlineMilliseconds } = this.#options;
    const now = milliseconds();
    const latest = this.#latest;
    if (latest !== undefined && now - latest.startedAt < deadlineMilliseconds / 100) return latest;
    const group: Group = { startedAt: now, late: new Set(), over: new AbortController() };
    this.#latest = group;
    void clock.sleep(deadlineMilliseconds, group.over.signal).then(() => {
      this.#close(group);
      for (const late of group.late) late();
    });
    return group;
  }

  /** Who comes later begins another one. */
  #close(group: Group): void {
    if (this.#latest === group) this.#latest = undefined;
  }
}
