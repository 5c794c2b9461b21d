// What was signed last, by nonce, for `paycert explain`: bounded, in memory, and nothing of any text.
import type { Sent, Refusals } from '../providers/refusal.ts';
import { type Recollection, recollect } from '../providers/shared/recollection.ts';

export interface SignedRecord extends Recollection {
  readonly at: Date;
  readonly credential: string;
  readonly keyId: string;
}

interface Signing {
  readonly credential: string;
  readonly startedAt: Date;
}

export class SignedMemory {
  readonly #most: number;
  /** The oldest first. */
  readonly #records: { readonly mark: string; readonly record: SignedRecord }[] = [];

  /** Remembers at most that many; each takes a few kilobytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Never fails: to remember is no reason to fail a payment. */
  note({ credential, startedAt }: Signing, sent: Sent & { readonly keyId: string }, refusals: Refusals): void {
    try {
      const found = recollect(sent, refusals);
      if (found === undefined) return;
      const record = { at: startedAt, credential, keyId: sent.keyId, ...found.recollection };
      this.#records.push({ mark: found.mark, record });
      if (this.#records.length > this.#most) this.#records.shift();
    } catch {
      // A request that its own platform's reader does not understand is not remembered.
    }
  }

  /** By the nonce that was sent, or the time where the platform has no nonce; the youngest first. */
  find(mark: string): readonly SignedRecord[] {
    return this.#records
      .filter((one) => one.mark === mark)
      .map(({ record }) => record)
      .reverse();
  }
}
