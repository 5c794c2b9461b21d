// Who waits for one of a few connections: first come, first served. A request's own time begins with its turn, so that a thousand at a start all come to theirs.

export class Queue {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(places: number) {
    this.#free = places;
  }

  /** Resolves with a place: dispose of it for the next one. @throws the signal's reason, if it aborts before */
  async enter(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    return { [Symbol.dispose]: () => this.#leave() };
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const begin = () => resolve(undefined);
    const give = () => reject(signal.reason);
    this.#waiting.add(begin);
    signal.addEventListener('abort', give);
    try {
      await promise;
    } finally {
      this.#waiting.delete(begin);
      signal.removeEventListener('abort', give);
    }
  }

  /** Handed on, so that nobody who comes later overtakes those who wait. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
