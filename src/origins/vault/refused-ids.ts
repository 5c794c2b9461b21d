// Ids of an AppRole that Vault refused are not sent again for a while: five wrong ones lock the role, for everybody who logs in as it.
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { PaycertError } from '../../errors.ts';
import type { LoginRequest } from './login.ts';

/** A minute longer than Vault counts wrong ids by default: one process alone never locks a role. */
const restMilliseconds = 16 * 60_000;

export class RefusedIds {
  readonly #clock: Clock;
  readonly #salt = randomBytes(32);
  #last: { readonly fingerprint: string; readonly from: number; readonly error: PaycertError } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws PaycertError `origin-unauthenticated`: what was said of these ids, while it is too early to send them again */
  assertMaySend({ body }: LoginRequest): void {
    if (this.#last?.fingerprint !== this.#fingerprint(body)) return;
    const passed = this.#clock.now().getTime() - this.#last.from;
    // A clock that was set back must not make it longer.
    if (passed >= 0 && passed < restMilliseconds) throw this.#last.error;
  }

  /** Returns the same refusal, which says until when they are not sent. */
  add({ body }: LoginRequest, { message }: PaycertError): PaycertError {
    const from = this.#clock.now().getTime();
    const until = new Date(from + restMilliseconds).toISOString();
    const error = new PaycertError('origin-unauthenticated', `${message}; not asked again until one of the files changes or ${until}`); // prettier-ignore
    this.#last = { fingerprint: this.#fingerprint(body), from, error };
    return error;
  }

  /** Whether it says that ids are not sent again. */
  isOf(error: PaycertError): boolean {
    return this.#last?.error === error;
  }

  #fingerprint(body: object): string {
    return createHmac('sha256', this.#salt).update(JSON.stringify(body)).digest('hex');
  }
}
