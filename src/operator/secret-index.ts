// Which resources name a Secret: a change of it is a reason to look at them.
import { type PaymentCredential, secretKeyOf } from './resource.ts';

export class SecretIndex {
  readonly #secrets = new Map<string, string>();
  readonly #resources = new Map<string, Set<string>>();

  /** What the resource is now; undefined when it is gone. Returns the Secrets that this concerns. */
  set(key: string, resource: PaymentCredential | undefined): string[] {
    const before = this.#secrets.get(key);
    const after = resource && secretKeyOf(resource);
    if (before === after) return [];
    if (before !== undefined) {
      const others = this.#resources.get(before);
      others?.delete(key);
      if (others?.size === 0) this.#resources.delete(before);
      this.#secrets.delete(key);
    }
    if (after !== undefined) {
      this.#secrets.set(key, after);
      const all = this.#resources.get(after) ?? new Set();
      this.#resources.set(after, all.add(key));
    }
    return [before, after].filter((secret) => secret !== undefined);
  }

  resourcesOf(secret: string): ReadonlySet<string> {
    return this.#resources.get(secret) ?? new Set();
  }
}
