// One piece of work for everybody who asks while it lasts; it is called off when nobody waits for it any more.

interface Running<T> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  waiting: number;
}

export class Flight<T> {
  #running: Running<T> | undefined;

  /** Starts the work, or waits for what is under way. @throws the signal's reason, or what the work throws */
  async join(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const running = (this.#running ??= this.#start(work));
    running.waiting += 1;
    const left = Promise.withResolvers<never>();
    const leave = () => left.reject(signal.reason);
    signal.addEventListener('abort', leave);
    try {
      return await Promise.race([running.result, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      running.waiting -= 1;
      if (running.waiting === 0) {
        running.stop.abort();
        // Those who come now must not wait for what has been called off.
        if (this.#running === running) this.#running = undefined;
      }
    }
  }

  #start(work: (signal: AbortSignal) => Promise<T>): Running<T> {
    const stop = new AbortController();
    const result = work(stop.signal);
    // Everybody may have left; its end is nobody's then.
    result.catch(() => undefined);
    return { result, stop, waiting: 0 };
  }
}
