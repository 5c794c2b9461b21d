// Several sources as one: their union.
import { PaycertError, throwTogether } from '../errors.ts';
import { type Material, material, type Source, type Tick } from './source.ts';

/** The union of names. One name with two contents is refused: which of them counts would be chance. */
export function mergeData(parts: readonly ReadonlyMap<string, Uint8Array>[]): Map<string, Uint8Array> {
  const union = new Map<string, Uint8Array>();
  for (const [name, bytes] of parts.flatMap((part) => [...part])) {
    const known = union.get(name);
    if (known !== undefined && Buffer.compare(known, bytes) !== 0) {
      throw new PaycertError('source-conflict', `${name} is given twice, with different contents`, { field: name });
    }
    union.set(name, bytes);
  }
  return union;
}

/** Material under the names a provider looks for: `keys` maps such a name to the origin's own. */
export function renameKeys(
  data: ReadonlyMap<string, Uint8Array>,
  keys: Readonly<Record<string, string>>,
): Map<string, Uint8Array> {
  const renamed = new Map(data);
  for (const origin of Object.values(keys)) renamed.delete(origin);
  for (const [name, origin] of Object.entries(keys)) {
    // Whatever else has this name is not what the configuration means.
    renamed.delete(name);
    const bytes = data.get(origin);
    if (bytes !== undefined) renamed.set(name, bytes);
  }
  return renamed;
}

export function merge(sources: readonly Source[]): Source {
  return {
    name: `merge(${sources.map(({ name }) => name).join(' ')})`,

    async read(signal): Promise<Material> {
      const reads = await Promise.allSettled(sources.map((source) => source.read(signal)));
      const reasons = reads.flatMap((read): unknown[] => (read.status === 'rejected' ? [read.reason] : []));
      for (const reason of reasons) if (!(reason instanceof PaycertError)) throw reason;
      throwTogether(reasons.filter((reason) => reason instanceof PaycertError));
      const parts = reads.flatMap((read) => (read.status === 'fulfilled' ? [read.value] : []));
      const changes = parts.flatMap(({ changedAt }) => (changedAt ? [changedAt.getTime()] : []));
      return material(mergeData(parts.map(({ data }) => data)), {
        ...(changes.length > 0 && { changedAt: new Date(Math.max(...changes)) }),
        mayBeTorn: parts.some(({ mayBeTorn = false }) => mayBeTorn),
        frozenPaths: parts.flatMap(({ frozenPaths = [] }) => frozenPaths),
        copies: parts.flatMap(({ copies = [] }) => copies),
        ...fallbackOf(parts),
      });
    },

    changes: (signal) => mergeChanges(sources, signal),
  };
}

const fallbackOf = (parts: readonly Material[]): Pick<Material, 'fallback'> => {
  const names = parts.flatMap(({ fallback = [] }) => fallback);
  return names.length > 0 ? { fallback: names.join(' ') } : {};
};

/** One start once each has started, then every tick of every source; ends when one of them does. */
export async function* mergeChanges(
  sources: readonly Pick<Source, 'changes'>[],
  signal: AbortSignal,
): AsyncGenerator<Tick, void, undefined> {
  const stop = new AbortController();
  const iterators = sources.map((source) =>
    source.changes(AbortSignal.any([signal, stop.signal]))[Symbol.asyncIterator](),
  );
  const step = (index: number) => {
    const next = (async () => ({ index, result: await iterators[index]?.next() }))();
    // Nobody awaits it while the consumer works; its rejection is seen by the race that follows.
    next.catch(() => undefined);
    return next;
  };
  const pending = iterators.map((_, index) => step(index));
  try {
    // The first tick of each only says that it is there: one read serves them all.
    await Promise.all(pending);
    let tick: Tick = 'start';
    for (const index of iterators.keys()) pending[index] = step(index);
    for (;;) {
      yield tick;
      const { index, result } = await Promise.race(pending);
      if (result === undefined || result.done === true) return;
      tick = result.value;
      pending[index] = step(index);
    }
  } finally {
    stop.abort();
    await Promise.allSettled(iterators.map(async (iterator) => iterator.return?.()));
  }
}
