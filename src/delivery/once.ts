// Each verified notification is delivered once: while it is under way all wait for one result, and afterwards it is known, within bounds.
import { PaycertError } from '../errors.ts';
import type { Claims } from './claims.ts';

export interface OnceOptions {
  /** A clock that never goes back. */
  readonly milliseconds: () => number;
  /** How many are known at once; each takes about a hundred bytes. */
  readonly capacity: number;
  /** How many may be under way at once. */
  readonly most: number;
  /** One is forgotten before its platform ceases to send it: it may be delivered again. */
  readonly forgotten: () => void;
  /** What other pods have delivered, where they share a store. */
  readonly claims?: Pick<Claims, 'run'> | undefined;
}

interface Known {
  readonly keyId: string;
  /** While it is under way. */
  running?: Promise<'first' | 'repeated'> | undefined;
  isDelivered: boolean;
  until: number;
}

export interface Delivering {
  /** What tells it from all others. */
  readonly key: string;
  /** Of the key that it was verified with. */
  readonly keyId: string;
  /** For how long it may come again. */
  readonly repeatsMilliseconds: number;
  /** Its bytes verify only once, so that it stays known as verified where it was not delivered. */
  readonly isVerifiedOnce: boolean;
}

/** Only what has verified is ever here, so that strangers cannot fill it. */
export class Once {
  readonly #options: OnceOptions;
  /** Those that were touched longest ago first. */
  readonly #known = new Map<string, Known>();
  #underWay = 0;

  constructor(options: OnceOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Of one that has verified, and may come again: the key that it was verified with. */
  keyIdOf(key: string): string | undefined {
    this.#forgetExpired();
    return this.#known.get(key)?.keyId;
  }

  /**
   * Runs `deliver`, unless it is under way, whose result then counts, or was delivered, here or in another pod. Rejects with what `deliver` throws: then the
   * next time that it comes counts as the first.
   * @throws PaycertError `overloaded`, `delivery-elsewhere`
   */
  async run(
    { key, keyId, repeatsMilliseconds, isVerifiedOnce }: Delivering,
    deliver: () => Promise<void>,
  ): Promise<'first' | 'repeated'> {
    this.#forgetExpired();
    const before = this.#known.get(key);
    if (before?.running !== undefined) {
      await before.running;
      return 'repeated';
    }
    if (before?.isDelivered === true) return 'repeated';
    const { most, milliseconds, claims } = this.#options;
    const known: Known = { keyId, isDelivered: false, until: milliseconds() + repeatsMilliseconds };
    if (isVerifiedOnce || this.#underWay < most) this.#keep(key, known);
    if (this.#underWay >= most) throw new PaycertError('overloaded', `${most} notifications are under way already`);
    this.#underWay += 1;
    known.running = claims?.run(key, repeatsMilliseconds, deliver) ?? deliver().then(() => 'first');
    try {
      const time = await known.running;
      known.isDelivered = true;
      return time;
    } finally {
      this.#underWay -= 1;
      known.running = undefined;
      known.until = milliseconds() + repeatsMilliseconds;
      if (known.isDelivered || isVerifiedOnce) this.#keep(key, known);
      else this.#known.delete(key);
    }
  }

  /** As the youngest; the oldest that is not under way makes room. */
  #keep(key: string, known: Known): void {
    this.#known.delete(key);
    this.#known.set(key, known);
    if (this.#known.size <= this.#options.capacity) return;
    for (const [other, { running }] of this.#known) {
      if (running !== undefined || other === key) continue;
      this.#known.delete(other);
      this.#options.forgotten();
      return;
    }
  }

  /** From the oldest on; of platforms whose times differ, some stay longer than they must. */
  #forgetExpired(): void {
    const now = this.#options.milliseconds();
    for (const [key, { until, running }] of this.#known) {
      if (running !== undefined) continue;
      if (now < until) return;
      this.#known.delete(key);
    }
  }
}
