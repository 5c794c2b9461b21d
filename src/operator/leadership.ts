// Whether this replica may write: only the leader does, and it leads until its last write has ended.
export class Leadership {
  #signal: AbortSignal | undefined;
  readonly #writes = new Set<Promise<unknown>>();

  get isLeading(): boolean {
    return this.#signal !== undefined && !this.#signal.aborted;
  }

  /** A task for the time of leading. `began`: reconcile everything, for what the previous leader left undone. */
  async lead(began: () => void, signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    began();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.#signal = undefined;
    await Promise.allSettled([...this.#writes]);
  }

  /** The write's result; undefined when this replica does not lead, or stops leading before the write has ended. */
  async write<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const signal = this.#signal;
    const isOver = () => signal?.aborted !== false;
    if (signal === undefined || isOver()) return undefined;
    const write = call(signal);
    this.#writes.add(write);
    try {
      return await write;
    } catch (error) {
      if (isOver()) return undefined;
      throw error;
    } finally {
      this.#writes.delete(write);
    }
  }
}
