// A call is one use of a credential by somebody, and `Around` is what surrounds each: counting and limits, for every way in.
import { PaycertError } from '../errors.ts';
import type { Observe, Outcome } from '../events.ts';
import { siblingOf, type Trace } from '../trace.ts';

export interface Caller {
  /**
   * The listener that it came through: the name of a socket or port, or `library`. Nothing else is known of a caller:
   * Node gives no credentials of a socket's peer. To tell two groups apart, give each a socket of its own.
   */
  readonly listener: string;
  /** What it says of itself. Unverified: for people who look for a call, never for a decision. */
  readonly claim?: string;
}

/** Whether nobody but that call waits for anything of this process, now. */
export interface Alone {
  readonly isAlone: boolean;
}

/** Whether nobody waits for a result any more. An `AbortSignal` is one; where nobody listens, a look is enough. */
export type Gone = Pick<AbortSignal, 'aborted'>;

export interface EndListener {
  handleEvent(): void;
}

/** What those ask who wait for the end of a call; an `AbortSignal` has it too. */
export interface Ending extends Gone {
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: EndListener): void;
  removeEventListener(type: 'abort', listener: EndListener): void;
}

/** One use of a credential. The items of a batch are one call, so they take turns with the calls of others as one. */
export interface Call {
  /** The caller's own id of the request where it sent one, otherwise ours. */
  readonly id: string;
  readonly caller: Caller;
  readonly credential: string;
  readonly operation: string;
  /** The time that the operation takes for now. */
  readonly startedAt: Date;
  /** Aborted when nobody waits for the result any more. */
  readonly signal: Gone;
  /** Undefined of a batch, whose items are never alone. */
  readonly alone?: Alone | undefined;
  /** There where it is traced. */
  readonly trace?: Trace;
  /** The batch that it is an item of, where that is another object. */
  readonly batch?: Call;
}

/** A call whose end can be waited for. */
export interface AbortableCall extends Call {
  readonly signal: Ending;
}

/** Of an item of a batch, which is a span of its own. */
export const itemOf = (call: Call): Call =>
  call.trace === undefined ? call : { ...call, trace: siblingOf(call.trace), batch: call };

/** Runs `next`, once or not at all, and returns or throws what it does. */
export type Around = <T>(call: Call, next: () => Promise<T>) => Promise<T>;

/** The first surrounds all others. */
export const compose = (first: Around, ...others: readonly Around[]): Around =>
  [first, ...others].reduceRight((inner, around) => (call, next) => around(call, () => inner(call, next)));

/** Counts a call by its outcome. `milliseconds` is a clock that never goes back; time is an argument here. */
export const count =
  (observe: Observe, milliseconds: () => number): Around =>
  (call, next) => {
    const started = milliseconds();
    const report = (outcome: Outcome) => {
      const { id, caller, credential, operation, trace } = call;
      const seconds = (milliseconds() - started) / 1000;
      const event = { ...caller, type: 'operated', call: id, credential, operation, outcome, seconds } as const;
      observe(trace ? { ...event, trace } : event);
    };
    // Not written with await, which keeps more for as long as a platform takes. It is counted before who waits for it hears of its end.
    const running = promised(next);
    running.then(
      () => report('ok'),
      (error: unknown) => report(outcomeOf(error)),
    );
    return running;
  };

/** What throws at once rejects. */
export function promised<T>(next: () => Promise<T>): Promise<T> {
  try {
    return next();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** At most that many calls under way, each batch being one, and none that nobody waits for. */
export function limit(most: number): Around {
  let underWay = 0;
  /**
   * How many items of each are: a batch of 256 takes no more room from others than a single call. Weak, since the tables of a `Map` in
   * which each call comes and goes keep calls that are over, with their requests, until all garbage is collected.
   */
  const itemsOf = new WeakMap<Call, number>();
  const leave = (whole: Call) => {
    const left = (itemsOf.get(whole) ?? 1) - 1;
    if (left > 0) {
      itemsOf.set(whole, left);
      return;
    }
    itemsOf.delete(whole);
    underWay -= 1;
  };
  // Not written with await: for each item of a batch that costs as much as what it surrounds.
  return (call, next) => {
    if (call.signal.aborted) return Promise.reject(callerGone());
    const whole = call.batch ?? call;
    const items = itemsOf.get(whole) ?? 0;
    if (items === 0) {
      if (underWay >= most)
        return Promise.reject(new PaycertError('overloaded', `${most} calls are under way already`));
      underWay += 1;
    }
    itemsOf.set(whole, items + 1);
    const end = () => leave(whole);
    const running = promised(next);
    running.then(end, end);
    return running;
  };
}

/** @throws PaycertError `caller-gone` when nobody waits for the result */
export function assertAwaited({ signal }: { readonly signal?: Gone | undefined }): void {
  if (signal?.aborted === true) throw callerGone();
}

export const callerGone = (): PaycertError =>
  new PaycertError('caller-gone', 'the caller has closed its connection: nothing was signed');

/** The list, the same for every way in. What comes is one more function in it. */
export const aroundEach = ({ observe, milliseconds, most, audit }: AroundOptions): Around =>
  compose(count(observe, milliseconds), ...(audit ? [audit] : []), limit(most));

export interface AroundOptions {
  readonly observe: Observe;
  /** A clock that never goes back. */
  readonly milliseconds: () => number;
  /** Calls under way at once. */
  readonly most: number;
  /** Writes down those that fail, where the configuration says so. */
  readonly audit?: Around | undefined;
}

/** How a call ended, by what it threw. Anything that is not a PaycertError is a bug. */
export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof PaycertError)) return 'error';
  const { kind } = error;
  if (kind === 'request') return 'caller-error';
  if (kind === 'gateway') return 'gateway-error';
  return kind === 'refused' || kind === 'not-ready' ? kind : 'error';
}
