// What waits for a key service: a lane for each key, served in rotation, so that a flood for one key holds up no other.

export interface LaneOptions {
  /** The most that may wait in one lane. */
  readonly capacity: number;
  /** The most that one turn takes out of a lane. */
  readonly batch: number;
}

export class Lanes<T> {
  readonly #options: LaneOptions;
  // Insertion order is the rotation: the lane served goes to the end.
  readonly #lanes = new Map<string, Set<T>>();

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** False where its lane is full. */
  add(lane: string, item: T): boolean {
    const waiting = this.#lanes.get(lane) ?? new Set();
    if (waiting.size >= this.#options.capacity) return false;
    this.#lanes.set(lane, waiting.add(item));
    return true;
  }

  /** What was taken, before what waits; there is always room for it. */
  putBack(lane: string, items: readonly T[]): void {
    if (items.length > 0) this.#lanes.set(lane, new Set([...items, ...(this.#lanes.get(lane) ?? [])]));
  }

  remove(lane: string, item: T): void {
    const waiting = this.#lanes.get(lane);
    waiting?.delete(item);
    if (waiting?.size === 0) this.#lanes.delete(lane);
  }

  /** The oldest of the lane whose turn it is, among those that `may` be served now; none where none is or nothing waits. */
  next(may: (lane: string, waiting: number) => boolean): readonly T[] {
    for (const [lane, waiting] of this.#lanes) {
      if (!may(lane, waiting.size)) continue;
      const taken: T[] = [];
      this.#lanes.delete(lane);
      for (const item of waiting) {
        if (taken.length === this.#options.batch) break;
        taken.push(item);
        waiting.delete(item);
      }
      if (waiting.size > 0) this.#lanes.set(lane, waiting);
      return taken;
    }
    return [];
  }

  /** All that wait, in no lane any more. */
  clear(): readonly T[] {
    const all = [...this.#lanes.values()].flatMap((waiting) => [...waiting]);
    this.#lanes.clear();
    return all;
  }
}
