// What each PaymentCredential is about now, and since when: what a Pod said before that is not about it.
import { isDeepStrictEqual } from 'node:util';
import { ResourceKey } from '../resource-key.ts';

/** Of the Secret as it is stored. */
export interface Stored {
  readonly version: string;
  readonly snapshotId: string;
  /** The activation by which a share tries a next set: what Pods say of that must be known soon. */
  readonly trial?: string;
}

export interface Known {
  readonly stored: Stored;
  /** As far as this process knows; in milliseconds since 1970. */
  readonly since: number;
  /** When it was noted first: what a Pod said before was not kept of it. */
  readonly knownSince: number;
}

export class StoredSnapshots {
  /** Namespace → name. */
  readonly #namespaces = new Map<string, Map<string, Known>>();

  /** `isNews`: it is another version than before, or the first. */
  note(
    { namespace, name }: ResourceKey,
    stored: Stored,
    now: number,
  ): { readonly known: Known; readonly isNews: boolean } {
    const names = this.#namespaces.get(namespace) ?? new Map<string, Known>();
    const before = names.get(name);
    if (before && isDeepStrictEqual(before.stored, stored)) return { known: before, isNews: false };
    const known = { stored, since: now, knownSince: before?.knownSince ?? now };
    this.#namespaces.set(namespace, names.set(name, known));
    return { known, isNews: true };
  }

  forget({ namespace, name }: ResourceKey): void {
    const names = this.#namespaces.get(namespace);
    names?.delete(name);
    if (names?.size === 0) this.#namespaces.delete(namespace);
  }

  clear(): void {
    this.#namespaces.clear();
  }

  get(namespace: string, name: string): Known | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  names(namespace: string): readonly string[] {
    return [...(this.#namespaces.get(namespace)?.keys() ?? [])];
  }

  keys(): readonly ResourceKey[] {
    return [...this.#namespaces].flatMap(([namespace, names]) =>
      [...names.keys()].map((name) => new ResourceKey('PaymentCredential', namespace, name)),
    );
  }
}
