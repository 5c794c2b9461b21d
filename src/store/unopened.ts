// What one set of keys could not open since it last opened something: for status and gauges, by kind, and never its content.
import { PaycertError } from '../errors.ts';

/** `notification`: its signature is valid, so the platform wrote it. `ciphertext`: nothing proves who wrote it. */
export type Sealed = 'notification' | 'ciphertext';

/** What no key opened, of one kind and for one reason: how often, and since when. */
export interface Unopened {
  readonly kind: Sealed;
  /** Why the last of them was not opened. */
  readonly error: PaycertError;
  /** How many. */
  readonly count: number;
  readonly since: Date;
  readonly at: Date;
}

/** A snapshot has one: new keys begin with none. */
export class Unopening {
  readonly #found = new Map<string, Unopened>();

  /** A bug of ours, or a caller's mistake, says nothing about keys. */
  note(kind: Sealed, error: unknown, at: Date): PaycertError | undefined {
    if (!isRefusal(error)) return undefined;
    const key = `${kind} ${error.code}`;
    const { count = 0, since = at } = this.#found.get(key) ?? {};
    this.#found.set(key, { kind, error, count: count + 1, since, at });
    return error;
  }

  /** Something of that kind was opened: what was not before it is history, and a counter's. */
  clear(kind: Sealed): void {
    if (this.#found.size === 0) return;
    for (const [key, found] of this.#found) if (found.kind === kind) this.#found.delete(key);
  }

  list(): readonly Unopened[] {
    return [...this.#found.values()];
  }
}

const isRefusal = (error: unknown): error is PaycertError =>
  error instanceof PaycertError && (error.kind === 'refused' || error.kind === 'not-ready');
