// The access key that we have at a cloud: obtained once for all who ask, read or lent again before it ends, and at once when it is refused.
import type { Clock } from '../../clock.ts';
import { PaycertError } from '../../errors.ts';
import type { Observe } from '../../events.ts';
import { Flight } from '../flight.ts';
import { LongWait } from '../long-wait.ts';
import { Pause } from '../pause.ts';

export interface Lent<Key> {
  readonly key: Key;
  /** How long it may be used, from now. */
  readonly milliseconds: number;
}

export interface LentKeysOptions<Key> {
  /** As `keyServices` calls it. */
  readonly service: string;
  /** @throws PaycertError of kind source */
  readonly obtain: (signal: AbortSignal) => Promise<Lent<Key>>;
  /**
   * It comes from another server, which may be away: it is obtained again at two thirds of its time, and not when it has ended. One of
   * files has no end of its own: it is used on while they cannot be read.
   */
  readonly isRenewedAhead: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observe: Observe;
}

interface Held<Key> extends Lent<Key> {
  readonly from: number;
  readonly renewAfterMilliseconds: number;
}

/** After a failure: not once for each signature. */
const longestPauseMilliseconds = 5000;
const shortestWaitMilliseconds = 1000;

export class LentKeys<Key extends object> {
  readonly #options: LentKeysOptions<Key>;
  readonly #pause: Pause;
  readonly #obtaining = new Flight<Key>();
  #held: Held<Key> | undefined;
  /** Its files cannot be read, and it is used on. */
  #isKept = false;
  readonly #untilDue: LongWait;
  #users = 0;
  #stop = new AbortController();

  constructor(options: LentKeysOptions<Key>) {
    this.#options = options;
    this.#untilDue = new LongWait(options.clock);
    this.#pause = new Pause({ ...options, longestMilliseconds: longestPauseMilliseconds });
  }

  /** @throws PaycertError of kind source, or the signal's reason */
  async current(signal: AbortSignal): Promise<Key> {
    const held = this.#held;
    if (held !== undefined && this.#now() - held.from < held.milliseconds) return held.key;
    return this.#obtaining.join((stop) => this.#obtain(stop), signal);
  }

  /** It is taken no more: the next one who asks gets another. Nothing happens where there is another already. */
  forget(key: Key): void {
    if (this.#held?.key === key) this.#held = undefined;
  }

  /** Renews ahead until it is disposed of, by everybody who keeps it. */
  keep(): Disposable {
    this.#users += 1;
    if (this.#users === 1 && this.#options.isRenewedAhead) {
      this.#stop = new AbortController();
      const { observe } = this.#options;
      this.#tend(this.#stop.signal).catch((error: unknown) =>
        observe({ type: 'internal-error', where: 'lent keys', error }),
      );
    }
    return {
      [Symbol.dispose]: () => {
        this.#users -= 1;
        if (this.#users > 0) return;
        this.#stop.abort();
        this.#held = undefined;
      },
    };
  }

  async #tend(signal: AbortSignal): Promise<void> {
    const isOver = () => signal.aborted;
    while (!isOver()) {
      const held = this.#held;
      await this.#untilDue.wait(held?.renewAfterMilliseconds, signal);
      if (held !== undefined && this.#held === held && !isOver()) await this.#renew(held, signal);
    }
  }

  async #renew(held: Held<Key>, signal: AbortSignal): Promise<void> {
    try {
      await this.#obtaining.join((stop) => this.#obtain(stop), signal);
    } catch (error) {
      if (!(error instanceof PaycertError)) {
        if (!signal.aborted) throw error;
        return;
      }
      // It lasts a while yet. When it has ended, the next signature says why there is no other.
      const left = held.milliseconds - (this.#now() - held.from);
      this.#hold({ ...held, renewAfterMilliseconds: Math.max(left / 3, shortestWaitMilliseconds) });
    }
  }

  async #obtain(signal: AbortSignal): Promise<Key> {
    this.#pause.assertOver();
    try {
      const { key, milliseconds } = await this.#options.obtain(signal);
      this.#pause.end();
      const renewAfterMilliseconds = Math.max((milliseconds * 2) / 3, shortestWaitMilliseconds);
      this.#hold({ key, milliseconds, from: this.#now(), renewAfterMilliseconds });
      this.#become(false);
      return key;
    } catch (error) {
      if (!(error instanceof PaycertError)) throw error;
      const held = this.#held;
      if (this.#options.isRenewedAhead) this.#pause.begin(error);
      // A file that is away ends no key: its cloud does, and then it is forgotten.
      else if (held !== undefined) {
        this.#hold({ ...held, from: this.#now() });
        this.#become(true, error);
        return held.key;
      }
      this.#become(false);
      throw error;
    }
  }

  #become(isKept: boolean, error?: PaycertError): void {
    if (this.#isKept === isKept) return;
    this.#isKept = isKept;
    const { service, observe } = this.#options;
    observe({ type: 'access-key-kept', service, ...(error && { error }) });
  }

  #hold(held: Held<Key>): void {
    this.#held = held;
    this.#untilDue.end();
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }
}
