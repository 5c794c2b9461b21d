// Entries as metrics see them: one whose keys were only looked at again is the one before, so that what it says is not written again.
import type { Entry } from '../store/store.ts';

/** What metrics may be facts of. When it was last looked at is none: that changes at every poll. */
export type EntryFacts = Omit<Entry, 'lastReload'>;

interface Known {
  readonly facts: EntryFacts;
  /** The last one that was the same but for when it was looked at. */
  readonly entry: Entry;
}

export class SteadyEntries {
  #known: ReadonlyMap<string, Known> = new Map();
  #list: readonly EntryFacts[] = [];

  /** One object for each entry, the same one for as long as its facts are; and the same list, while all of them are. It never changes. */
  of(entries: readonly Entry[]): readonly EntryFacts[] {
    const known = new Map(entries.map((entry) => [entry.name, this.#of(entry)]));
    const list = Array.from(known.values(), ({ facts }) => facts);
    this.#known = known;
    if (list.length !== this.#list.length || list.some((facts, index) => facts !== this.#list[index]))
      this.#list = list;
    return this.#list;
  }

  #of(entry: Entry): Known {
    const before = this.#known.get(entry.name);
    if (before === undefined) return { facts: entry, entry };
    if (before.entry === entry) return before;
    return { facts: hasFacts(entry, before.facts) ? before.facts : entry, entry };
  }
}

function hasFacts(entry: Entry, facts: EntryFacts): boolean {
  const [ours, theirs] = [entry, facts] as readonly Readonly<Record<string, unknown>>[];
  if (ours === undefined || theirs === undefined) return false;
  const isSame = (name: string) => name === 'lastReload' || ours[name] === theirs[name];
  return Object.keys(ours).every(isSame) && Object.keys(theirs).every(isSame);
}
