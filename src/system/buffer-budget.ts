// How many bytes of bodies are held at once, by all calls together: slow callers cost time, and no memory without end.
import { PaycertError } from '../errors.ts';

const defaultBytes = 64 * 1024 * 1024;

export class BufferBudget {
  readonly #most: number;
  #held = 0;

  constructor(most = defaultBytes) {
    this.#most = most;
  }

  get held(): number {
    return this.#held;
  }

  /** What one message takes; grows while it arrives. */
  open(): Reservation {
    return new Reservation((bytes) => {
      if (bytes > 0 && this.#held + bytes > this.#most)
        throw new PaycertError('overloaded', `${this.#most} bytes of messages are held already`);
      this.#held += bytes;
    });
  }
}

export class Reservation {
  readonly #take: (bytes: number) => void;
  #bytes = 0;

  constructor(take: (bytes: number) => void) {
    this.#take = take;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws PaycertError `overloaded` */
  add(bytes: number): void {
    this.#take(bytes);
    this.#bytes += bytes;
  }

  release(): void {
    this.#take(-this.#bytes);
    this.#bytes = 0;
  }
}
