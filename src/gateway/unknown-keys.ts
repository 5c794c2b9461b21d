// Whether a key that nobody here knows is worth asking its platform: each once in a while, and all together so often at most.

export interface Allowance {
  readonly most: number;
  readonly milliseconds: number;
}

/** A platform's probes and forged messages name keys that it will never list. */
const rememberedMilliseconds = 5 * 60_000;
const maxRemembered = 64;

/** Of one credential. */
export class UnknownKeys {
  /** When each was last asked for; the oldest first. */
  readonly #remembered = new Map<string, number>();
  #admitted: readonly number[] = [];

  admits(keyId: string, now: number, { most, milliseconds }: Allowance): boolean {
    const isRecent = (at: number, length: number) => at <= now && now - at < length;
    const asked = this.#remembered.get(keyId);
    if (asked !== undefined && isRecent(asked, rememberedMilliseconds)) return false;
    this.#admitted = this.#admitted.filter((at) => isRecent(at, milliseconds));
    if (this.#admitted.length >= most) return false;
    this.#admitted = [...this.#admitted, now];
    this.#remembered.delete(keyId);
    this.#remembered.set(keyId, now);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > maxRemembered && oldest !== undefined) this.#remembered.delete(oldest);
    return true;
  }
}
