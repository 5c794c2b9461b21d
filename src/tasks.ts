// Long-lived things together: the first that fails stops the rest, and its error is the one that counts.

/** Lives until it is aborted; a rejection is a failure of the whole. */
export type Task = (signal: AbortSignal) => Promise<void>;

export async function runTasks(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  // In the order in which they failed: the others may fail only because they were stopped.
  const failures: { error: unknown }[] = [];
  await Promise.all(
    tasks.map(async (task) => {
      try {
        await task(both);
      } catch (error) {
        failures.push({ error });
        stop.abort();
      }
    }),
  );
  const [first] = failures;
  if (first !== undefined) throw first.error;
}
