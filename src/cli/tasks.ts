// Long-lived things together: the first that fails stops the rest, and its error is the one that counts.

/** Lives until it is aborted; a rejection is a failure of the whole. */
export type Task = (signal: AbortSignal) => Promise<void>;

export async function runTasks(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const results = await Promise.allSettled(
    tasks.map(async (task) => {
      try {
        await task(both);
      } catch (error) {
        stop.abort();
        throw error;
      }
    }),
  );
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
