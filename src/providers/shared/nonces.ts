// Nonces seen: what makes a signed message good for once. Made once per credential; outlives every swap, not a restart.
import { createHash } from 'node:crypto';
import { PaycertError } from '../../errors.ts';

export interface NoncesOptions {
  /** How long a nonce stays taken. */
  readonly milliseconds: number;
  /** How many are remembered at most; each takes about a hundred bytes. */
  readonly capacity: number;
}

/** Remembers until they expire. When it is full it refuses: forgetting early would let a message be replayed. */
export class Nonces {
  readonly #milliseconds: number;
  readonly #capacity: number;
  /** Digest of a nonce → when it is free again. In the order of arrival, which is nearly that of expiry. */
  readonly #expiries = new Map<string, number>();

  constructor({ milliseconds, capacity }: NoncesOptions) {
    this.#milliseconds = milliseconds;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#expiries.size;
  }

  /** @throws PaycertError `nonce-seen` */
  assertUnseen(nonce: string, now: Date): void {
    const expiry = this.#expiries.get(digest(nonce));
    if (expiry !== undefined && now.getTime() < expiry) {
      throw new PaycertError('nonce-seen', 'a message with this nonce has been accepted before', { field: 'nonce' });
    }
  }

  /**
   * Only for a message that has verified: otherwise strangers could fill it.
   * @throws PaycertError `nonces-full`
   */
  remember(nonce: string, now: Date): void {
    this.#forgetExpired(now);
    const key = digest(nonce);
    if (this.#expiries.size >= this.#capacity && !this.#expiries.has(key)) {
      throw new PaycertError('nonces-full', 'as many nonces as may be remembered have not expired yet');
    }
    // Set again at the end: it was free, so it counts as new.
    this.#expiries.delete(key);
    this.#expiries.set(key, now.getTime() + this.#milliseconds);
  }

  /** From the oldest on. After a clock that jumped back some stay longer than they must, which refuses and never forgets. */
  #forgetExpired(now: Date): void {
    for (const [key, expiry] of this.#expiries) {
      if (now.getTime() < expiry) return;
      this.#expiries.delete(key);
    }
  }
}

/** Of one size, however long the nonce. */
const digest = (nonce: string): string => createHash('sha256').update(nonce).digest('base64url').slice(0, 22);
