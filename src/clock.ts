// Time as an argument: what says the time and waits. Tests pass their own.

export interface Clock {
  now(): Date;
  /** Resolves after that many milliseconds, or at once on abort; never rejects. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** setTimeout fires at once beyond 24.8 days, and a suspended machine makes every long timer lie: nobody waits longer than this. */
export const longestSleep = 60 * 60 * 1000;

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
