// So many at once, first come, first served: connections to a server, or large responses in memory.

/** The number of slots is fixed. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(most: number) {
    this.#free = most;
  }

  /**
   * Resolves with a slot: dispose of it, once, for the next one.
   * @throws the signal's reason while it waits
   * @example
   * using _ = await slots.take(signal);
   */
  async take(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    return { [Symbol.dispose]: () => this.#giveBack() };
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const start = () => resolve(undefined);
    // At once, and not when it hears of it: a slot that comes free meanwhile would be lost for ever.
    const giveUp = () => {
      if (this.#waiting.delete(start)) reject(signal.reason as Error);
    };
    this.#waiting.add(start);
    signal.addEventListener('abort', giveUp, { once: true });
    await promise.finally(() => signal.removeEventListener('abort', giveUp));
  }

  /** Handed on, so that nobody who comes later overtakes those who wait. */
  #giveBack(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
