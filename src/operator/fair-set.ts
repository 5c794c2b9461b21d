// Keys that wait, taken namespace by namespace: however many one tenant adds, another's next key is not behind them.
import type { ResourceKey } from './resource-key.ts';

export class FairSet {
  /** Insertion order is the rotation: the namespace that was served goes to the end. */
  readonly #namespaces = new Map<string, Map<string, ResourceKey>>();
  readonly #running = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(key: ResourceKey): void {
    const keys = this.#namespaces.get(key.namespace) ?? new Map<string, ResourceKey>();
    this.#namespaces.set(key.namespace, keys);
    if (!keys.has(key.toString())) this.#size += 1;
    keys.set(key.toString(), key);
  }

  /** The next key of the next namespace of which fewer than `most` are taken and not given back. */
  take(most: number): ResourceKey | undefined {
    for (const [namespace, keys] of this.#namespaces) {
      const running = this.#running.get(namespace) ?? 0;
      const [key] = keys.values();
      if (running >= most || key === undefined) continue;
      keys.delete(key.toString());
      this.#size -= 1;
      this.#namespaces.delete(namespace);
      if (keys.size > 0) this.#namespaces.set(namespace, keys);
      this.#running.set(namespace, running + 1);
      return key;
    }
    return undefined;
  }

  /** The work on a key that was taken has ended. */
  giveBack({ namespace }: ResourceKey): void {
    const running = (this.#running.get(namespace) ?? 0) - 1;
    if (running > 0) this.#running.set(namespace, running);
    else this.#running.delete(namespace);
  }
}
