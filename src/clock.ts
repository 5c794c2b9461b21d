// Time as an argument: what says the time and waits. Tests pass their own.

/**
 * What says the time and waits. A program needs none of its own, a test does.
 * @example
 * import { setTimeout } from 'node:timers/promises';
 * import { type Clock, startPaycert } from 'paycert';
 *
 * // A year from now, at the same pace.
 * const clock: Clock = {
 *   now: () => new Date(Date.now() + 365 * 86_400_000),
 *   sleep: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }).catch(() => undefined),
 * };
 * await using later = await startPaycert([], { clock });
 * console.log(later.entries()); // → []
 */
export interface Clock {
  /** The time. */
  now(): Date;
  /** Resolves after that many milliseconds, at most an hour, or at once on abort; never rejects. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** setTimeout fires at once beyond 24.8 days, and a suspended machine makes every long timer lie: nobody waits longer than this. */
export const longestSleep = 60 * 60 * 1000;

/**
 * The time of this machine.
 * @example
 * import { systemClock } from 'paycert';
 *
 * console.log(systemClock.now() <= new Date()); // → true
 */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(Math.max(milliseconds, 0), longestSleep));
      signal.addEventListener('abort', end);
    }),
};

/** The reason of each wait that its owner ended: without one, Node makes an error with its stack. */
const endedByOwner = new DOMException('nobody waits any more', 'AbortError');

/**
 * A wait that ends early when its owner has no use for it any more: call `end` in any case. `AbortSignal.any` would do the same,
 * and leave weak references behind, which cost each collection of garbage.
 */
export function pause(
  clock: Clock,
  milliseconds: number,
  signal: AbortSignal,
): { readonly over: Promise<void>; readonly end: () => void } {
  const ended = new AbortController();
  const end = () => {
    signal.removeEventListener('abort', end);
    ended.abort(endedByOwner);
  };
  if (signal.aborted) end();
  else signal.addEventListener('abort', end);
  return { over: clock.sleep(milliseconds, ended.signal), end };
}

/** How long the end of a process waits for what is still to be written or exported. */
export const flushMilliseconds = 1000;
