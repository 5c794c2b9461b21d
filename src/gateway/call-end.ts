// How a call ends before its response is there: its time is over, or its caller has gone.

export interface EndListener {
  handleEvent(): void;
}

/** What those ask who wait for a call; an AbortSignal has it too. */
export interface Ending {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: EndListener): void;
  removeEventListener(type: 'abort', listener: EndListener): void;
}

/** For those who take nothing else. */
export const signalOf = (end: Ending): AbortSignal => {
  if (end instanceof AbortSignal) return end;
  const controller = new AbortController();
  const listener = { handleEvent: () => controller.abort(end.reason) };
  if (end.aborted) listener.handleEvent();
  else end.addEventListener('abort', listener);
  return controller.signal;
};

/** As an AbortController and its signal, which take as long to make, to listen to and to collect as a response takes to parse. */
export class CallEnd implements Ending {
  readonly #listeners: EndListener[] = [];
  #reason: unknown;
  #aborted = false;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** Tells all listeners, once. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    for (const listener of this.#listeners.splice(0)) listener.handleEvent();
  }

  addEventListener(_: 'abort', listener: EndListener): void {
    if (!this.#aborted) this.#listeners.push(listener);
  }

  removeEventListener(_: 'abort', listener: EndListener): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }
}
