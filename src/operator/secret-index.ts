// Which resources name a Secret: when it changes, they are evaluated again.
import { type PaymentCredential, secretKeyOf } from './resource.ts';
import type { ResourceKey } from './resource-key.ts';

/** All maps are keyed by the key's text. */
export class SecretIndex {
  readonly #secrets = new Map<string, ResourceKey>();
  readonly #resources = new Map<string, Map<string, ResourceKey>>();

  /** What the resource is now; undefined when it is gone. Returns the Secrets that this concerns. */
  set(key: ResourceKey, resource: PaymentCredential | undefined): ResourceKey[] {
    const id = key.toString();
    const before = this.#secrets.get(id);
    const after = resource && secretKeyOf(resource);
    if (before?.toString() === after?.toString()) return [];
    if (before !== undefined) {
      const others = this.#resources.get(before.toString());
      others?.delete(id);
      if (others?.size === 0) this.#resources.delete(before.toString());
      this.#secrets.delete(id);
    }
    if (after !== undefined) {
      this.#secrets.set(id, after);
      const all = this.#resources.get(after.toString()) ?? new Map<string, ResourceKey>();
      this.#resources.set(after.toString(), all.set(id, key));
    }
    return [before, after].filter((secret) => secret !== undefined);
  }

  resourcesOf(secret: ResourceKey): readonly ResourceKey[] {
    return [...(this.#resources.get(secret.toString())?.values() ?? [])];
  }
}
