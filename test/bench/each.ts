// The same act many times, some of them at once: for benchmarks that fill a cluster.

const atOnce = 16;

/** Acts on each index below `count`. */
export async function each(count: number, act: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
