// Source → Source: waits for the other part of a pair that is written in place, where nothing but its time of writing ties it.
import type { Clock } from '../clock.ts';
import type { Observe } from '../events.ts';
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

/** How long after a half was used the other part is taken for what completes it, and not for a half of something new. */
export const lateMilliseconds = 60_000;

/** Of each part, a digest; no bytes are kept. */
type Digests = ReadonlyMap<string, string>;

interface Unmatched {
  readonly pair: readonly string[];
  /** What there was when the pair was whole. */
  readonly whole: Digests;
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
}

/** What is swapped at once, such as a mounted Secret or one by API, is whole, and does not wait. */
export function withTiedParts(source: Source, { tied, credential, clock, observe }: TiedOptions): Source {
  if (tied.length === 0) return source;
  let given: Digests | undefined;
  /** Pairs that were used half: what there was before, and since when. */
  const halves = new Map<readonly string[], { readonly whole: Digests; readonly since: number }>();

  function wholeOf(pair: readonly string[], last: Digests): Digests {
    const half = halves.get(pair);
    return half !== undefined && clock.now().getTime() - half.since < lateMilliseconds ? half.whole : last;
  }

  function findUnmatched({ mayBeTorn = false, data }: Material): readonly Unmatched[] {
    if (given === undefined || !mayBeTorn) return [];
    const [last, now] = [given, digestsOf(data, tied)];
    return tied.flatMap((pair) => {
      if (differing(pair, last, now).length === 0) return [];
      const whole = wholeOf(pair, last);
      const changed = differing(pair, whole, now);
      const unchanged = pair.filter((name) => now.has(name) && !changed.includes(name));
      return changed.length > 0 && unchanged.length > 0 ? [{ pair, whole, changed, unchanged }] : [];
    });
  }

  function giveOn({ data }: Material, unmatched: readonly Unmatched[]): void {
    const now = digestsOf(data, tied);
    for (const pair of tied) if (given && differing(pair, given, now).length > 0) halves.delete(pair);
    for (const { pair, whole, changed, unchanged } of unmatched) {
      halves.set(pair, { whole, since: clock.now().getTime() });
      observe({ type: 'parts-unmatched', credential, changed, unchanged });
    }
    given = now;
  }

  return {
    name: source.name,

    async read(signal) {
      let found = await source.read(signal);
      let unmatched = findUnmatched(found);
      for (let waited = 0; unmatched.length > 0 && waited < longestWaitMilliseconds; waited += stepMilliseconds) {
        await clock.sleep(stepMilliseconds, signal);
        if (signal.aborted) return found;
        found = await source.read(signal);
        unmatched = findUnmatched(found);
      }
      giveOn(found, unmatched);
      return found;
    },

    changes: (signal) => source.changes(signal),
  };
}

/** Also what came, or has gone. */
const differing = (names: readonly string[], before: Digests, now: Digests): readonly string[] =>
  names.filter((name) => before.get(name) !== now.get(name));

const digestsOf = (data: Material['data'], tied: TiedOptions['tied']): Digests =>
  new Map(
    tied.flat().flatMap((name) => {
      const bytes = data.get(name);
      return bytes === undefined ? [] : [[name, material(new Map([[name, bytes]])).revision] as const];
    }),
  );
