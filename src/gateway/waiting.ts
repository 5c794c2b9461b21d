// Who waits for what comes of one question: all of them learn it together, and each may leave before.

export class Waiting {
  readonly #tells = new Set<(hasCome: boolean) => void>();

  /** What `tell` says next; false once `gone` is aborted. */
  async wait(gone: AbortSignal): Promise<boolean> {
    if (gone.aborted) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const leave = () => resolve(false);
    this.#tells.add(resolve);
    gone.addEventListener('abort', leave);
    try {
      return await promise;
    } finally {
      gone.removeEventListener('abort', leave);
      this.#tells.delete(resolve);
    }
  }

  tell(hasCome: boolean): void {
    for (const tell of this.#tells) tell(hasCome);
  }
}
