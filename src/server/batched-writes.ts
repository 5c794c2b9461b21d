// Responses that are ready in the same turn of the event loop are written together, as far as that takes some milliseconds.
import { turnMilliseconds } from '../turns.ts';

/**
 * A write wakes the process that waits for it, and on a machine with few cores waking it costs more than making the response.
 * Written one after another at the end of the turn, 32 responses wake it once: 1.7 times the verifications per second. A
 * response that is alone waits for no other: the turn ends at once.
 */
export class BatchedWrites {
  readonly #milliseconds: () => number;
  #waiting: (() => void)[] = [];

  /** `milliseconds`: a clock that never goes back. */
  constructor(milliseconds: () => number = () => performance.now()) {
    this.#milliseconds = milliseconds;
  }

  /** Calls `write` before the event loop waits for anything again. */
  push(write: () => void): void {
    if (this.#waiting.push(write) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const writes = this.#waiting;
    this.#waiting = [];
    const started = this.#milliseconds();
    let written = 0;
    // A large one is copied to the kernel here: hundreds of them would hold the loop.
    while (written < writes.length && (written === 0 || this.#milliseconds() - started < turnMilliseconds))
      writes[written++]?.();
    if (written === writes.length) return;
    const left = writes.slice(written);
    if (this.#waiting.length === 0) setImmediate(() => this.#flush());
    this.#waiting = [...left, ...this.#waiting];
  }
}
