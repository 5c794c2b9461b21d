// What a counter grew by since it was last read, or a gauge became, by labels: checked, sorted and joined once for each set of them, and not for each call.
import type { Sample } from '../fact-gauge.ts';

export type Labels = Readonly<Record<string, string | number>>;

interface Sum {
  readonly labels: Labels;
  value: number;
}

/** Of values of labels, one level for each label. */
type Level = Map<unknown, Level | Sum>;

export class Tally {
  readonly #names: readonly string[];
  #root: Level = new Map();
  #sums: Sum[] = [];

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** @throws RangeError for what no counter can grow by, here and not at a scrape, far from where it came from */
  add(sample: Sample): void {
    if (!(sample.value >= 0 && sample.value < Infinity)) throw new RangeError('a counter grows by a number from 0 on');
    this.#of(sample).value += sample.value;
  }

  /** In place of what was there. */
  set(sample: Sample): void {
    this.#of(sample).value = sample.value;
  }

  #of(sample: Sample): Sum {
    let level = this.#root;
    const last = this.#names.length - 1;
    for (let at = 0; at < last; at += 1) {
      const value = sample[this.#names[at] ?? ''];
      let next = level.get(value) as Level | undefined;
      if (next === undefined) level.set(value, (next = new Map<unknown, Level | Sum>()));
      level = next;
    }
    const value = last < 0 ? undefined : sample[this.#names[last] ?? ''];
    const known = level.get(value) as Sum | undefined;
    if (known !== undefined) return known;
    const { value: _, ...labels } = sample;
    const begun = { labels, value: 0 };
    level.set(value, begun);
    this.#sums.push(begun);
    return begun;
  }

  /** Hands over what there is, and begins again: what has gone is not kept. */
  empty(hand: (labels: Labels, value: number) => void): void {
    const sums = this.#sums;
    this.#root = new Map();
    this.#sums = [];
    for (const { labels, value } of sums) hand(labels, value);
  }
}
