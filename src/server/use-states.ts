// Which keys that stay elsewhere were used of late, and which of them do not work now: for a status, made from events.
import type { Clock } from '../clock.ts';
import type { PaycertError } from '../errors.ts';
import type { Event } from '../events.ts';

/** `key`: the reference, and how it signs or opens. `error` and `since` are undefined where its last use succeeded. */
export interface UseState {
  readonly service: string;
  readonly use: 'sign' | 'decrypt';
  readonly key: string;
  readonly error: PaycertError | undefined;
  readonly since: Date | undefined;
}

interface Seen extends UseState {
  readonly at: Date;
}

/** More than a process uses at once. */
const maxKeys = 256;

/** What failed and was not tried again for so long says nothing of now: its key may have been replaced. */
const staleMilliseconds = 15 * 60_000;

export class UseStates {
  readonly #clock: Clock;
  /** The ones whose state changed last are at the end. */
  readonly #seen = new Map<string, Seen>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  observe(event: Event): void {
    if (event.type !== 'remote-signed') return;
    const { service, use, key, outcome, error } = event;
    const name = `${service} ${use} ${key}`;
    const before = this.#seen.get(name);
    // Of a key that works, one look per signature is all that it costs.
    if (before !== undefined && before.error === undefined && error === undefined) return;
    const at = this.#clock.now();
    // A breaker that is open says why it opened no more: what was said before does.
    const why = outcome === 'held-back' ? (before?.error ?? error) : error;
    this.#seen.delete(name);
    this.#seen.set(name, { service, use, key, error: why, since: why && (before?.since ?? at), at });
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > maxKeys && oldest !== undefined) this.#seen.delete(oldest);
  }

  list(): readonly UseState[] {
    const since = this.#clock.now().getTime() - staleMilliseconds;
    return [...this.#seen.values()].filter(({ error, at }) => error === undefined || at.getTime() > since);
  }
}
