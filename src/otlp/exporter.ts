// Exports to a collector from a bounded queue, batch by batch: nobody waits for it who does not ask to, and what is lost is counted.
import { type Clock, pause } from '../clock.ts';
import type { ExportedSignal, Observe } from '../events.ts';
import { Unreachable } from '../system/request.ts';
import { bodyOf, type Frame, frameOf, type Value } from './encoding.ts';
import { Collector, type Posted } from './post.ts';
import { Queue } from './queue.ts';
import type { Target } from './variables.ts';

export interface ExporterOptions {
  readonly signal: ExportedSignal;
  readonly target: Target;
  readonly resource: Readonly<Record<string, Value>>;
  readonly version: string | undefined;
  readonly clock: Clock;
  readonly observe: Observe;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  /** How long the end of the process waits for the last batches. */
  readonly flushMilliseconds: number;
}

const mostAtOnce = 512;
/** How long items are gathered that nobody waits for, so that a request has many of them. */
const gatherMilliseconds = 1000;
const firstPauseMilliseconds = 1000;
const longestPauseMilliseconds = 30_000;

/** What passes by itself: https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
const passing: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** The batch itself is what is wrong. */
const malformed: ReadonlySet<number> = new Set([400, 413]);

/** A span is worth no more attempts than the protocol asks for; a line of an audit stays until somebody has put the collector right. */
const isFinal: Readonly<Record<ExportedSignal, (status: number) => boolean>> = {
  traces: (status) => !passing.has(status),
  logs: (status) => malformed.has(status),
};

export class Exporter {
  readonly #options: ExporterOptions;
  readonly #observe: Observe;
  readonly #frame: Frame;
  readonly #collector: Collector;
  readonly #queue = new Queue();
  #running: Promise<void> | undefined;
  /** Ends the wait for more items. */
  #full: () => void = () => undefined;
  readonly #closing = new AbortController();
  readonly #closed = new AbortController();
  /** In a row; and why the last one was. */
  #failures = 0;
  #failedAt: Date | undefined;
  #reason = '';

  constructor(options: ExporterOptions) {
    this.#options = options;
    this.#observe = options.observe;
    this.#frame = frameOf(options.signal);
    this.#collector = new Collector(options.target);
  }

  get hasRoom(): boolean {
    return this.#queue.hasRoom && !this.#closing.signal.aborted;
  }

  /** Why what waits has not been taken; undefined while all is well. */
  get failure(): string | undefined {
    return this.#failures > 0 && this.#queue.size > 0 ? this.#reason : undefined;
  }

  /** Since when there is one. */
  get failingSince(): Date | undefined {
    return this.failure === undefined ? undefined : this.#failedAt;
  }

  /** One item, as JSON. Where there is no room for it, it is dropped, and counted. */
  add(item: string): void {
    if (!this.hasRoom) {
      this.#drop(1);
      return;
    }
    this.#queue.add(item);
    if (this.#queue.size >= mostAtOnce) this.#full();
    this.#running ??= this.#run();
  }

  /** When every item until now is taken. Rejects when they are not, and stay, or are lost. */
  async taken(): Promise<void> {
    const taken = this.#queue.taken();
    this.#full();
    await taken;
  }

  /** After what waits is taken, or does not get there in time. */
  async close(): Promise<void> {
    const { clock, flushMilliseconds } = this.#options;
    this.#closing.abort();
    const over = new AbortController();
    void clock.sleep(flushMilliseconds, over.signal).then(() => this.#closed.abort());
    await this.#running;
    over.abort();
    this.#lose(this.#queue.size, 'the process ends');
    this.#collector.close();
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const closing = this.#closing.signal;
    // Those of one turn of the event loop share a batch.
    await Promise.resolve();
    try {
      for (let hasPaused = false; this.#queue.size > 0 && !this.#closed.signal.aborted;) {
        if (!hasPaused) await this.#gather();
        const pause = await this.#send(this.#queue.first(mostAtOnce));
        hasPaused = pause !== undefined;
        if (pause === undefined) continue;
        // Once more at the end, and no more than once.
        if (closing.aborted) return;
        await clock.sleep(pause, closing);
      }
    } catch (error) {
      this.#observe({ type: 'internal-error', where: 'export', error });
    } finally {
      // In the same turn as the last look at the queue: what is added from now on begins again.
      this.#running = undefined;
    }
  }

  async #gather(): Promise<void> {
    if (this.#queue.size >= mostAtOnce || this.#queue.isAwaited) return;
    const wait = pause(this.#options.clock, gatherMilliseconds, this.#closing.signal);
    this.#full = wait.end;
    await wait.over;
    wait.end();
  }

  /** How long to wait before it is tried again; undefined: those are dealt with. */
  async #send(items: readonly string[]): Promise<number | undefined> {
    const { signal } = this.#options;
    let posted: Posted;
    try {
      posted = await this.#post(bodyOf(this.#frame, this.#options, items));
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      return this.#fail(error.reason);
    }
    const { status, retryAfter, content } = posted;
    if (status >= 200 && status < 300) {
      this.#recover(items.length, refusedIn(content, this.#frame, items.length));
      return undefined;
    }
    const pause = this.#fail(`HTTP ${status}`, retryAfter);
    if (!isFinal[signal](status)) return pause;
    this.#lose(items.length, `HTTP ${status}`);
    return undefined;
  }

  async #post(body: string): Promise<Posted> {
    const { clock, target } = this.#options;
    const { timeoutMilliseconds: milliseconds } = target;
    const late = new AbortController();
    const closed = this.#closed.signal;
    const wait = pause(clock, milliseconds, closed);
    void wait.over.then(() => {
      const why = closed.aborted ? 'the process ends' : `no response within ${milliseconds / 1000} s`;
      late.abort(new Unreachable(why));
    });
    try {
      return await this.#collector.post(body, late.signal);
    } finally {
      wait.end();
    }
  }

  #recover(items: number, refused: number): void {
    const { signal } = this.#options;
    if (this.#failures > 0) this.#observe({ type: 'export-recovered', signal });
    this.#failures = 0;
    this.#observe({ type: 'exported', signal, items: items - refused });
    // Which of them were refused is not known.
    this.#queue.remove(items, refused > 0 ? new Unreachable('refused') : undefined);
    if (refused > 0) this.#drop(refused);
  }

  /** Each failure in a row makes the pause longer; by chance shorter, so that many do not come back at once. */
  #fail(reason: string, retryAfter = 0): number {
    const { signal, random } = this.#options;
    if (this.#failures === 0) this.#failedAt = this.#options.clock.now();
    this.#observe({ type: 'export-failed', signal, reason, isNew: this.#failures === 0 });
    const pause = firstPauseMilliseconds * 2 ** Math.min(this.#failures, 10) * (0.5 + random() * 0.5);
    this.#failures += 1;
    this.#reason = reason;
    this.#queue.refuse(new Unreachable(reason));
    return Math.min(Math.max(pause, retryAfter), longestPauseMilliseconds);
  }

  #lose(items: number, reason: string): void {
    if (items === 0) return;
    this.#queue.remove(items, new Unreachable(reason));
    this.#drop(items);
  }

  #drop(items: number): void {
    this.#observe({ type: 'export-dropped', signal: this.#options.signal, items });
  }
}

/** A collector may take a batch and refuse some of it: it says how many (`partialSuccess`). */
function refusedIn(content: unknown, { refused }: Frame, most: number): number {
  const { partialSuccess } = (content ?? {}) as { readonly partialSuccess?: Readonly<Record<string, unknown>> };
  const said = Number(partialSuccess?.[refused] ?? 0);
  return Number.isInteger(said) ? Math.min(Math.max(said, 0), most) : 0;
}
