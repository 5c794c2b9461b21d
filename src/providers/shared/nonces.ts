// Nonces seen: what makes a signed message good for once. Made once per credential; outlives every swap, not a restart.
import { createHash } from 'node:crypto';
import { PaycertError } from '../../errors.ts';

export interface NoncesOptions {
  /** How long a nonce stays taken. */
  readonly milliseconds: number;
  /** How many are remembered at most; each takes about a hundred bytes. */
  readonly capacity: number;
  /** Default: refuse, since forgetting early would let a message be replayed. */
  readonly whenFull?: 'refuse' | 'forget';
}

interface Seen {
  /** When the nonce is free again, by this machine's clock. */
  readonly expiry: number;
  /** The time that was signed with it. */
  readonly signedAt: number;
}

/** Remembers until they expire. */
export class Nonces {
  readonly #milliseconds: number;
  readonly #capacity: number;
  readonly #whenFull: 'refuse' | 'forget';
  /** By the digest of a nonce, in the order of arrival, which is nearly that of expiry. */
  readonly #seen = new Map<string, Seen>();
  /** The latest time that was signed with a nonce since forgotten. */
  #forgotten = -Infinity;

  constructor({ milliseconds, capacity, whenFull = 'refuse' }: NoncesOptions) {
    this.#milliseconds = milliseconds;
    this.#capacity = capacity;
    this.#whenFull = whenFull;
  }

  get size(): number {
    return this.#seen.size;
  }

  /**
   * What was signed no later than a message that has been forgotten may be that message: while the clock only advances, it
   * is outside the window long before. After a jump ahead and back it is not.
   * @throws PaycertError `nonce-seen`
   */
  assertUnseen(nonce: string, now: Date, signedAt = now): void {
    this.#forgetExpired(now);
    if (this.has(nonce, now)) {
      throw new PaycertError('nonce-seen', 'a message with this nonce has been accepted before', { field: 'nonce' });
    }
    if (signedAt.getTime() <= this.#forgotten) {
      const message = 'a message of this time may have been accepted before this machine’s clock was set back';
      throw new PaycertError('nonce-seen', message, { field: 'nonce' });
    }
  }

  has(nonce: string, now: Date): boolean {
    return now.getTime() < (this.#seen.get(digest(nonce))?.expiry ?? -Infinity);
  }

  /**
   * Only for a message that has verified: otherwise strangers could fill it.
   * @throws PaycertError `nonces-full`
   */
  remember(nonce: string, now: Date, signedAt = now): void {
    this.#forgetExpired(now);
    const key = digest(nonce);
    if (this.#seen.size >= this.#capacity && !this.#seen.has(key)) {
      const [oldest = ''] = this.#seen.keys();
      if (this.#whenFull === 'forget') this.#seen.delete(oldest);
      else throw new PaycertError('nonces-full', 'as many nonces as may be remembered have not expired yet');
    }
    // Set again at the end: it was free, so it counts as new.
    this.#seen.delete(key);
    this.#seen.set(key, { expiry: now.getTime() + this.#milliseconds, signedAt: signedAt.getTime() });
  }

  /** From the oldest on. After a clock that jumped back some stay longer than they must, which refuses and never forgets. */
  #forgetExpired(now: Date): void {
    for (const [key, { expiry, signedAt }] of this.#seen) {
      if (now.getTime() < expiry) return;
      this.#seen.delete(key);
      this.#forgotten = Math.max(this.#forgotten, signedAt);
    }
  }
}

/** Of one size, however long the nonce. */
const digest = (nonce: string): string => createHash('sha256').update(nonce).digest('base64url').slice(0, 22);
