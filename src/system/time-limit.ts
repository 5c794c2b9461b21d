// A signal that aborts with another one, or when a time is over, and leaves nothing behind once its work is done.

/** One for all: Node would make an error with its stack for each. */
const late = new DOMException('the time is over', 'TimeoutError');

/**
 * As `AbortSignal.any([outer, AbortSignal.timeout(milliseconds)])`, whose parts stay until the next thorough collection of garbage:
 * dispose of this one when the work is done, and nothing of it is left at once.
 */
export class TimeLimit implements Disposable {
  readonly #outer: AbortSignal;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #follow = () => this.#controller.abort(this.#outer.reason);

  constructor(outer: AbortSignal, milliseconds: number) {
    this.#outer = outer;
    this.#timer = setTimeout(() => this.#controller.abort(late), milliseconds).unref();
    if (outer.aborted) this.#follow();
    else outer.addEventListener('abort', this.#follow);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the time was over before the outer signal aborted. */
  get isLate(): boolean {
    return this.signal.reason === late;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#follow);
  }
}
