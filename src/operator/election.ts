// Why this replica cannot stand for election, from what the election reports: nobody may be writing, and every process looks well.
import type { Clock } from '../clock.ts';
import type { Event } from '../events.ts';
import type { PaycertError } from '../errors.ts';

/** A restart of the API server takes no longer, and leaves a replica ready. */
const toleratedMilliseconds = 60_000;

export class Election {
  readonly #source: string;
  readonly #clock: Clock;
  #failure: { readonly since: Date; readonly error: PaycertError } | undefined;

  constructor(lease: string, clock: Clock) {
    this.#source = `lease:${lease}`;
    this.#clock = clock;
  }

  observe(event: Event): void {
    if (event.type === 'watch-restarted' && event.source === this.#source) this.#failure = undefined;
    if (event.type !== 'watch-failed' || event.source !== this.#source || event.error === undefined) return;
    this.#failure = { since: this.#failure?.since ?? this.#clock.now(), error: event.error };
  }

  get impediment(): string | undefined {
    if (this.#failure === undefined) return undefined;
    const { since, error } = this.#failure;
    const isTolerated = this.#clock.now().getTime() - since.getTime() <= toleratedMilliseconds;
    return isTolerated ? undefined : `it cannot take part in the election of a leader: ${error.message}`;
  }
}
