// Which resources name a Secret: when it changes, they are evaluated again.
import { downloadedInto, type PaymentCredential, secretKeysOf } from './resource.ts';
import type { ResourceKey } from './resource-key.ts';

/** All maps are keyed by the key's text. */
export class SecretIndex {
  readonly #secrets = new Map<string, readonly ResourceKey[]>();
  readonly #resources = new Map<string, Map<string, ResourceKey>>();

  /** What the resource is now; undefined when it is gone. Returns the Secrets that this concerns. */
  set(key: ResourceKey, resource: PaymentCredential | undefined): ResourceKey[] {
    const id = key.toString();
    const before = this.#secrets.get(id) ?? [];
    const after = resource ? [...secretKeysOf(resource), ...downloadedInto(resource)] : [];
    const gone = without(before, after);
    const added = without(after, before);
    for (const secret of gone) {
      const others = this.#resources.get(secret.toString());
      others?.delete(id);
      if (others?.size === 0) this.#resources.delete(secret.toString());
    }
    for (const secret of added) {
      const all = this.#resources.get(secret.toString()) ?? new Map<string, ResourceKey>();
      this.#resources.set(secret.toString(), all.set(id, key));
    }
    if (after.length > 0) this.#secrets.set(id, after);
    else this.#secrets.delete(id);
    return [...gone, ...added];
  }

  resourcesOf(secret: ResourceKey): readonly ResourceKey[] {
    return [...(this.#resources.get(secret.toString())?.values() ?? [])];
  }
}

function without(some: readonly ResourceKey[], others: readonly ResourceKey[]): readonly ResourceKey[] {
  const texts = new Set(others.map(String));
  return some.filter((one) => !texts.has(one.toString()));
}
