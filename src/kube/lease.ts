// Leader election on a Lease: one of several runs a task, and never two at once while their timers run at about the same speed.
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { Task } from '../tasks.ts';
import { defaultTiming, LeaseRecord, type RecordOptions, type Timing } from './lease-record.ts';

export interface LeaseOptions extends RecordOptions {
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly observe: Observe;
}

const releaseMilliseconds = 2000;

/**
 * A task that runs another whenever it leads, with a signal that is aborted when it leads no more; it waits until that work
 * has stopped, and is a candidate again. On abort it gives the Lease up, once the work has stopped. It rejects with what the work
 * rejects with. A Lease that is not there is created, where that is permitted.
 */
export function whileLeading(task: Task, options: LeaseOptions): Task {
  return async (signal) => {
    const candidate = new Candidate(options);
    for (;;) {
      const deadline = await candidate.acquire(signal);
      if (deadline === undefined) return;
      await candidate.lead(task, deadline, signal);
    }
  };
}

/** Begun before the request whose success it counts from: observers start their timer later. */
interface Deadline {
  readonly passed: Promise<void>;
  readonly cancel: () => void;
}

class Candidate {
  readonly #options: LeaseOptions;
  readonly #observe: Observe;
  readonly #record: LeaseRecord;
  readonly #timing: Timing;
  #told: string | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#observe = options.observe;
    this.#record = new LeaseRecord(options);
    this.#timing = options.timing ?? defaultTiming;
  }

  /** Asks until the Lease is ours, and returns until when it is; undefined on abort. */
  async acquire(signal: AbortSignal): Promise<Deadline | undefined> {
    const { clock, random } = this.#options;
    const isOver = () => signal.aborted;
    while (!isOver()) {
      const deadline = this.#startDeadline(signal);
      if ((await this.#try(() => this.#record.take(signal), signal)) === true) return deadline;
      deadline.cancel();
      const pause = this.#timing.retryMilliseconds * (1 + random() * 0.2);
      await clock.sleep(pause, signal);
      this.#record.wait(pause);
    }
    return undefined;
  }

  /** Runs the task until the Lease is lost or the signal is aborted. */
  async lead(task: Task, deadline: Deadline, signal: AbortSignal): Promise<void> {
    const { name: lease } = this.#options;
    const stop = new AbortController();
    const leading = AbortSignal.any([signal, stop.signal]);
    this.#observe({ type: 'leading', lease, isLeading: true });
    // Whichever ends first ends the other.
    const parts = [task(leading), this.#hold(deadline, leading)].map((part) => part.finally(() => stop.abort()));
    const failed = (await Promise.allSettled(parts)).find((result) => result.status === 'rejected');
    this.#observe({ type: 'leading', lease, isLeading: false });
    await this.#release();
    if (failed) throw failed.reason as Error;
  }

  /** Renews until abort, or until the Lease is lost. */
  async #hold(first: Deadline, signal: AbortSignal): Promise<void> {
    const isOver = () => signal.aborted;
    let deadline = first;
    for (;;) {
      await Promise.race([this.#options.clock.sleep(this.#timing.retryMilliseconds, signal), deadline.passed]);
      if (isOver()) return;
      const next = this.#startDeadline(signal);
      const renewal = this.#try(() => this.#record.renew(signal), signal);
      const renewed = await Promise.race([renewal, deadline.passed.then(() => false)]);
      if (renewed === false || isOver()) return;
      (renewed === undefined ? next : deadline).cancel();
      if (renewed === true) deadline = next;
    }
  }

  async #release(): Promise<void> {
    const timeout = new AbortController();
    const waited = this.#options.clock.sleep(releaseMilliseconds, timeout.signal).then(() => timeout.abort());
    // What fails here ends by itself: others take the Lease.
    await this.#try(() => this.#record.release(timeout.signal), timeout.signal);
    timeout.abort();
    await waited;
  }

  #startDeadline(signal: AbortSignal): Deadline {
    const stop = new AbortController();
    const passed = this.#options.clock.sleep(this.#timing.renewalMilliseconds, AbortSignal.any([signal, stop.signal]));
    return { passed, cancel: () => stop.abort() };
  }

  /** What a call gives; undefined when it failed, and is to be tried again. */
  async #try<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    try {
      const result = await call();
      if (this.#told !== undefined) this.#observe({ type: 'watch-restarted', source: `lease:${this.#options.name}` });
      this.#told = undefined;
      return result;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof PaycertError)) throw error;
      // Another was faster, or the same failure again: no news.
      if (error.code === 'object-conflict' || error.code === this.#told) return undefined;
      this.#told = error.code;
      this.#observe({ type: 'watch-failed', source: `lease:${this.#options.name}`, reason: error.code, error });
      return undefined;
    }
  }
}
