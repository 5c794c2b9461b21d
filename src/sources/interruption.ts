// An API server that is away for a moment: what was read before counts meanwhile, and a read that meets it waits for its end.
import { type Clock, pause } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Informer } from '../kube/watch.ts';

export interface InterruptionOptions {
  readonly clock: Clock;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
}

/** How long what was read last counts while no change could be seen: longer than a restart of the API server takes. */
const longestMilliseconds = 30_000;

const shortestPause = 500;
const longestPause = 8000;

/** What says nothing about the Secret. */
const passing: ReadonlySet<string> = new Set(['cluster-unreachable', 'cluster-failing']);

const isPassing = (error: unknown): error is PaycertError => error instanceof PaycertError && passing.has(error.code);

type Watch = Pick<Informer<unknown>, 'trouble'>;

export class Interruption {
  readonly #options: InterruptionOptions;
  #watch: Watch | undefined;
  #stands = Promise.withResolvers<undefined>();
  /** Whether something was read that an interruption leaves as it is. */
  #isRead = false;

  constructor(options: InterruptionOptions) {
    this.#options = options;
  }

  /** That watch tells whether there is one, until the result is disposed of; without a watch no read waits. */
  follow(watch: Watch): Disposable {
    [this.#watch, this.#isRead] = [watch, false];
    return {
      [Symbol.dispose]: () => {
        if (this.#watch === watch) [this.#watch, this.#isRead] = [undefined, false];
      },
    };
  }

  /** A watch stands, or stands again. */
  end(): void {
    this.#stands.resolve(undefined);
    this.#stands = Promise.withResolvers();
  }

  /** Why nothing that was read may be trusted any more; undefined while it is shorter. */
  get blindness(): PaycertError | undefined {
    const { trouble } = this.#watch ?? {};
    return trouble && this.#since(trouble.since) > longestMilliseconds ? trouble.error : undefined;
  }

  /**
   * The read, or one that follows it when the watch stands again. Where nothing was read before, such as at a start, the first one alone.
   * @throws PaycertError what it throws, of an interruption when that has lasted too long; or the signal's reason
   */
  async outlast<T>(read: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const startedAt = this.#options.clock.now();
    try {
      const result = await read().catch((error: unknown) => {
        if (!this.#isRead || !isPassing(error)) throw error;
        return this.#readAgain(read, error, startedAt, signal);
      });
      this.#isRead = this.#watch !== undefined;
      return result;
    } catch (error) {
      this.#isRead = false;
      throw error;
    }
  }

  async #readAgain<T>(read: () => Promise<T>, first: PaycertError, startedAt: Date, signal: AbortSignal): Promise<T> {
    const { clock } = this.#options;
    const passed = this.#since(this.#watch?.trouble?.since ?? startedAt);
    const longest = pause(clock, longestMilliseconds - passed, signal);
    const limit = { isOver: false };
    const end = longest.over.then(() => (limit.isOver = true));
    let error = first;
    try {
      for (let failures = 0; ; failures++) {
        const short = pause(clock, this.#pauseAfter(failures), signal);
        await Promise.race([short.over, this.#stands.promise, end]);
        short.end();
        // The watch tries by itself: the Secret is asked for when it has found the API server again.
        if (this.#watch?.trouble) await Promise.race([this.#stands.promise, end]);
        signal.throwIfAborted();
        if (limit.isOver) throw error;
        try {
          return await read();
        } catch (again) {
          if (!isPassing(again)) throw again;
          error = again;
        }
      }
    } finally {
      longest.end();
    }
  }

  #pauseAfter(failures: number): number {
    return Math.min(shortestPause * 2 ** failures, longestPause) * (0.5 + this.#options.random() / 2);
  }

  /** In milliseconds; a clock that was set back must not make a wait longer. */
  #since(time: Date): number {
    return Math.max(this.#options.clock.now().getTime() - time.getTime(), 0);
  }
}
