// How often somebody may try whose messages have never verified: a little, until one does. By address, within bounds.

export interface StrangersOptions {
  /** A clock that never goes back. */
  readonly milliseconds: () => number;
  /** How many addresses are known at once. */
  readonly capacity?: number;
}

/** At once, which a platform may after a restart here, and then one in so many milliseconds: it has verified long before. */
const atOnce = 100;
const oneInMilliseconds = 500;
/** An address that verified stays known for so long after the last time. */
const knownMilliseconds = 24 * 3_600_000;

interface Tries {
  left: number;
  at: number;
}

/** Two lists, so that strangers with many addresses push out each other, and never a platform. */
export class Strangers {
  readonly #milliseconds: () => number;
  readonly #capacity: number;
  readonly #tries = new Map<string, Tries>();
  readonly #verified = new Map<string, number>();

  constructor({ milliseconds, capacity = 10_000 }: StrangersOptions) {
    this.#milliseconds = milliseconds;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#tries.size + this.#verified.size;
  }

  /** Whether it may try now. */
  admit(address: string): boolean {
    const now = this.#milliseconds();
    const verifiedAt = this.#verified.get(address);
    if (verifiedAt !== undefined && now < verifiedAt + knownMilliseconds) return true;
    const before = this.#tries.get(address) ?? { left: atOnce, at: now };
    const left = Math.min(atOnce, before.left + (now - before.at) / oneInMilliseconds);
    put(this.#tries, address, { left: left < 1 ? left : left - 1, at: now }, this.#capacity);
    return left >= 1;
  }

  /** Something from there has verified. */
  verified(address: string): void {
    this.#tries.delete(address);
    put(this.#verified, address, this.#milliseconds(), this.#capacity);
  }
}

/** As the youngest; the oldest makes room. */
function put<V>(map: Map<string, V>, key: string, value: V, capacity: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= capacity) return;
  const [oldest = ''] = map.keys();
  map.delete(oldest);
}
