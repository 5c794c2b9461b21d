// Source → Source: waits for the other part of a pair that is written in place, where nothing but its time of writing ties it.
import type { Clock } from '../clock.ts';
import { isolate, type Observe } from '../events.ts';
import { type Material, material, type Source } from './source.ts';

export interface TiedOptions {
  /** Names of parts that change together, and that no check can hold against each other. */
  readonly tied: readonly (readonly string[])[];
  readonly credential: string;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** How long one part of a pair waits for the other. */
export const longestWaitMilliseconds = 5000;
const stepMilliseconds = 250;

interface Unmatched {
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
}

/** What is swapped at once, such as a mounted Secret or one by API, is whole, and does not wait. */
export function withTiedParts(source: Source, { tied, credential, clock, observe }: TiedOptions): Source {
  if (tied.length === 0) return source;
  const tell = isolate(observe);
  /** Of each part that was given on, a digest; no bytes are kept. */
  let given: ReadonlyMap<string, string> | undefined;

  const findUnmatched = ({ mayBeTorn = false, data }: Material): Unmatched | undefined => {
    if (given === undefined || !mayBeTorn) return undefined;
    const [before, now] = [given, digestsOf(data, tied)];
    for (const group of tied) {
      const there = group.filter((name) => before.has(name) || now.has(name));
      const changed = there.filter((name) => before.get(name) !== now.get(name));
      const unchanged = there.filter((name) => before.get(name) === now.get(name));
      if (changed.length > 0 && unchanged.length > 0) return { changed, unchanged };
    }
    return undefined;
  };

  return {
    name: source.name,

    async read(signal) {
      let found = await source.read(signal);
      let unmatched = findUnmatched(found);
      for (let waited = 0; unmatched !== undefined && waited < longestWaitMilliseconds; waited += stepMilliseconds) {
        await clock.sleep(stepMilliseconds, signal);
        if (signal.aborted) return found;
        found = await source.read(signal);
        unmatched = findUnmatched(found);
      }
      if (unmatched !== undefined) tell({ type: 'parts-unmatched', credential, ...unmatched });
      given = digestsOf(found.data, tied);
      return found;
    },

    changes: (signal) => source.changes(signal),
  };
}

const digestsOf = (data: Material['data'], tied: TiedOptions['tied']): ReadonlyMap<string, string> =>
  new Map(
    tied.flat().flatMap((name) => {
      const bytes = data.get(name);
      return bytes === undefined ? [] : [[name, material(new Map([[name, bytes]])).revision] as const];
    }),
  );
