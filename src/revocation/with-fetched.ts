// Source → Source: adds what is fetched beside a source's own material, and looks for news of it by itself.
import type { Clock } from '../clock.ts';
import { mergeChanges } from '../sources/merge.ts';
import { material, type Source, type Tick } from '../sources/source.ts';

/** What is to be added now, by name. It asks for what is due and gives the rest as it was had; it does not throw. */
export type Fetch = (signal: AbortSignal) => Promise<ReadonlyMap<string, Uint8Array>>;

/** How often what is due is asked for. */
const lookMilliseconds = 60_000;

interface Fetching {
  /** Of the source's own material, of which nothing else is kept. */
  readonly revision: string;
  readonly fetch: Fetch;
  fetched: ReadonlyMap<string, Uint8Array>;
}

/**
 * `plan` says what goes with some material. It is fetched when the material is new; later by a timer of its own, so that reading
 * stays quick, and news is an event and not a change that a poll has found.
 */
export function withFetched(
  source: Source,
  plan: (data: ReadonlyMap<string, Uint8Array>) => Fetch,
  clock: Clock,
): Source {
  let current: Fetching | undefined;

  async function* news(signal: AbortSignal): AsyncGenerator<Tick, void, undefined> {
    yield 'start';
    for (;;) {
      await clock.sleep(lookMilliseconds, signal);
      if (signal.aborted) return;
      const fetching = current;
      if (fetching === undefined) continue;
      const before = fetching.fetched;
      fetching.fetched = await fetching.fetch(signal);
      if (!isEqual(before, fetching.fetched)) yield 'event';
    }
  }

  return {
    name: source.name,

    async read(signal) {
      const { data, revision, ...about } = await source.read(signal);
      if (current?.revision !== revision) {
        const fetch = plan(data);
        current = { revision, fetch, fetched: await fetch(signal) };
      }
      const fetched = [...(about.fetched ?? []), ...current.fetched.keys()];
      return material(new Map([...data, ...current.fetched]), { ...about, fetched });
    },

    changes: (signal) => mergeChanges([source, { changes: news }], signal),
  };
}

function isEqual(one: ReadonlyMap<string, Uint8Array>, other: ReadonlyMap<string, Uint8Array>): boolean {
  return (
    one.size === other.size &&
    [...one].every(([name, bytes]) => Buffer.compare(bytes, other.get(name) ?? Buffer.of()) === 0)
  );
}
