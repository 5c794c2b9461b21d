// A breaker before a server: after too many failures nothing is sent for a while, then one call tries. Loads opossum.
import type { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';

export interface BreakerOptions {
  /** Opens at that share of failures, in percent, */
  readonly failurePercent: number;
  /** of at least so many calls of the last ten seconds. */
  readonly minimumCalls: number;
  /** Until one call may try. */
  readonly openMilliseconds: number;
}

export interface BreakerParts extends BreakerOptions {
  /** One for all breakers, each of which would otherwise have timers of its own. */
  readonly rotation: EventEmitter;
  readonly changed: (state: BreakerState) => void;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

/** What a call says of its server. `none`: nothing, such as one whose caller has gone. */
export type CallResult = 'success' | 'failure' | 'none';

/** Nothing was sent: the breaker is open, or another call is trying. */
export class BreakerOpen extends Error {
  override readonly name = 'BreakerOpen';
}

class NoSuccess extends Error {
  readonly result: CallResult;

  constructor(result: CallResult) {
    super(result);
    this.result = result;
  }
}

type Circuit = CircuitBreaker<[work: () => Promise<void>], void>;

const windowMilliseconds = 10_000;
const buckets = 10;
/** How often `rotation` has to emit `rotate`. */
export const rotationMilliseconds = windowMilliseconds / buckets;

export class Breaker {
  readonly #parts: BreakerParts;
  #breaker: Circuit;
  #isTrying = false;

  constructor(parts: BreakerParts) {
    this.#parts = parts;
    this.#breaker = this.#begin();
  }

  get state(): BreakerState {
    if (this.#breaker.closed) return 'closed';
    return this.#breaker.halfOpen ? 'half-open' : 'open';
  }

  /** Whether nothing may be sent now. */
  get refuses(): boolean {
    return this.#breaker.opened || (this.#breaker.halfOpen && this.#isTrying);
  }

  /** @throws BreakerOpen without running it; whatever it rejects with */
  async run<T>(work: () => Promise<T>, evaluate: (end: PromiseSettledResult<T>) => CallResult): Promise<T> {
    if (this.refuses) throw new BreakerOpen();
    const tries = this.#breaker.halfOpen;
    this.#isTrying ||= tries;
    let end: PromiseSettledResult<T> | undefined;
    const judge = (settled: PromiseSettledResult<T>) => {
      end = settled;
      const result = evaluate(settled);
      if (result !== 'success') throw new NoSuccess(result);
    };
    try {
      await this.#breaker.fire(() =>
        work().then(
          (value) => judge({ status: 'fulfilled', value }),
          (reason: unknown) => judge({ status: 'rejected', reason }),
        ),
      );
    } catch (error) {
      if (!(error instanceof NoSuccess || CircuitBreaker.isOurError(error as Error))) throw error;
    } finally {
      if (tries) this.#isTrying = false;
    }
    // Not by its promise once more, which takes three turns of those that wait.
    if (end === undefined) throw new BreakerOpen();
    if (end.status === 'rejected') throw end.reason;
    return end.value;
  }

  close(): void {
    this.#breaker.shutdown();
  }

  #begin(): Circuit {
    const { failurePercent, minimumCalls, openMilliseconds, rotation, changed } = this.#parts;
    const breaker: Circuit = new CircuitBreaker((work: () => Promise<void>) => work(), {
      // It opens above its threshold; this one at it.
      errorThresholdPercentage: failurePercent - 1e-6,
      volumeThreshold: minimumCalls,
      resetTimeout: openMilliseconds,
      rollingCountTimeout: windowMilliseconds,
      rollingCountBuckets: buckets,
      rotateBucketController: rotation,
      enableSnapshots: false,
      rollingPercentilesEnabled: false,
      // Calls have a deadline of their own.
      timeout: false,
      // What is filtered counts as a success, and would close a breaker that is half open: what says nothing keeps it as it was.
      errorFilter: (error) => error instanceof NoSuccess && error.result === 'none' && !breaker.halfOpen,
    });
    breaker.on('open', () => changed('open'));
    breaker.on('halfOpen', () => changed('half-open'));
    breaker.on('close', () => {
      // opossum keeps what failed before it opened, and the next failure alone would open it again.
      this.#breaker = this.#begin();
      breaker.shutdown();
      changed('closed');
    });
    return breaker;
  }
}
