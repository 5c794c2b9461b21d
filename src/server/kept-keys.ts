// Access keys that are used on while their files cannot be read: for a status, made from events.
import type { PaycertError } from '../errors.ts';
import type { Event } from '../events.ts';

export interface KeptKey {
  /** As `keyServices` calls it. */
  readonly service: string;
  readonly since: Date;
  /** Why the files cannot be read. */
  readonly error: PaycertError;
}

export class KeptKeys {
  readonly #now: () => Date;
  readonly #kept = new Map<string, KeptKey>();

  constructor(now: () => Date) {
    this.#now = now;
  }

  observe(event: Event): void {
    if (event.type !== 'access-key-kept') return;
    const { service, error } = event;
    if (error === undefined) this.#kept.delete(service);
    else this.#kept.set(service, { service, since: this.#now(), error });
  }

  list(): readonly KeptKey[] {
    return [...this.#kept.values()];
  }
}
