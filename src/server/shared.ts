// Work that many ask for at once and that is done for all of them together, at most once a second.
import type { Clock } from '../clock.ts';

const pauseMilliseconds = 1000;

/**
 * `work`, shared: a caller waits for the next run, and gets nothing that began before it asked. However many ask, the
 * work is done once a second. The one that is asked for alone is done at once.
 */
export function shared<T>(work: () => Promise<T>, clock: Clock): () => Promise<T> {
  let startedAt = -Infinity;
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  const run = async (): Promise<T> => {
    await running;
    // A clock that was set back makes nobody wait longer.
    const elapsed = Math.max(clock.now().getTime() - startedAt, 0);
    if (elapsed < pauseMilliseconds) await clock.sleep(pauseMilliseconds - elapsed, new AbortController().signal);
    startedAt = clock.now().getTime();
    next = undefined;
    const result = work();
    running = result.catch(() => undefined);
    return result;
  };
  return () => (next ??= run());
}
