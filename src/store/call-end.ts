// How a call ends before its response is there: its time is over, or its caller has gone.
import type { EndListener, Ending } from './call.ts';

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
  /** Most have one, and a list of one takes as much as all else here. */
  #listener: EndListener | undefined;
  #others: EndListener[] | undefined;
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
    const [listener, others = []] = [this.#listener, this.#others];
    this.#listener = this.#others = undefined;
    listener?.handleEvent();
    for (const other of others) other.handleEvent();
  }

  addEventListener(_: 'abort', listener: EndListener): void {
    if (this.#aborted) return;
    if (this.#listener === undefined) this.#listener = listener;
    else (this.#others ??= []).push(listener);
  }

  removeEventListener(_: 'abort', listener: EndListener): void {
    if (this.#listener === listener) {
      this.#listener = this.#others?.shift();
      return;
    }
    const at = this.#others?.indexOf(listener) ?? -1;
    if (at >= 0) this.#others?.splice(at, 1);
  }
}
