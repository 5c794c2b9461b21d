// What one key service is asked to do with keys: in batches, a bounded number at once, each with a deadline, slower where it limits us, and none while it fails.
import { EventEmitter } from 'node:events';
import type { Clock } from '../clock.ts';
import { type ErrorCode, PaycertError } from '../errors.ts';
import type { Observe, RemoteOutcome } from '../events.ts';
import { Breaker, BreakerOpen, rotationMilliseconds } from '../system/breaker.ts';
import { Deadlines } from '../system/deadlines.ts';
import { Distance } from './distance.ts';
import { Lanes } from './lanes.ts';
import { Pace } from './pace.ts';

export interface SignerOptions<Way, Result> {
  /** As the configuration calls it. */
  readonly service: string;
  readonly deadlineMilliseconds: number;
  /** The most requests at once, and the most that one of them may carry. */
  readonly concurrent?: number;
  readonly batch?: number;
  /** One for each digest, in their order. @throws PaycertError where there is none for all */
  readonly send: (way: Way, inputs: readonly Uint8Array[], signal: AbortSignal) => Promise<readonly Signed<Result>[]>;
  readonly clock: Clock;
  /** A clock that never goes back. */
  readonly milliseconds?: () => number;
  readonly random?: () => number;
  readonly observe: Observe;
}

export type Signed<Result = Uint8Array> = Result | PaycertError;

/** What a key is used for. */
export type KeyUse = 'sign' | 'decrypt';

interface Job<Way, Result> {
  readonly lane: string;
  readonly way: Way;
  readonly input: Uint8Array;
  /** The first end counts. */
  readonly end: (result: Signed<Result>, outcome: RemoteOutcome) => void;
  isOver: boolean;
  /** Called at its end while it is under way: the request that nobody waits for is called off. */
  leave: (() => void) | undefined;
  /** The service has refused it, since it is asked too much: it waits for another turn. */
  throttled: PaycertError | undefined;
}

const defaults = { concurrent: 8, batch: 16 };
/** That wait with one key. */
const capacity = 256;
const breaking = { failurePercent: 50, minimumCalls: 10, openMilliseconds: 2000 };

/** What a service that cannot sign for anybody says; what it refuses of one key is not its failure. */
const failures: ReadonlySet<ErrorCode> = new Set(['key-service-unavailable', 'key-service-timeout']);

/** One for all: Node would make an error with its stack for each. */
const done = new DOMException('nobody waits any more', 'AbortError');

export class Signer<Way, Result extends object = Uint8Array> implements Disposable {
  readonly #options: SignerOptions<Way, Result>;
  readonly #lanes: Lanes<Job<Way, Result>>;
  readonly #pace: Pace;
  readonly #distance: Distance;
  readonly #rotation = new EventEmitter();
  readonly #breaker: Breaker;
  readonly #milliseconds: () => number;
  readonly #deadlines: Deadlines;
  readonly #stop = new AbortController();
  #underWay = 0;
  /** How many of them are of each lane. */
  readonly #ofLane = new Map<string, number>();
  readonly #batch: number;
  #isWoken = false;
  /** Why nothing is sent for a moment: the service limits us. */
  #limited: PaycertError | undefined;

  constructor(options: SignerOptions<Way, Result>) {
    const { service, observe, random = Math.random, milliseconds = () => performance.now() } = options;
    const { batch, concurrent } = { ...defaults, ...options };
    this.#options = options;
    this.#milliseconds = milliseconds;
    this.#deadlines = new Deadlines({ ...options, milliseconds });
    this.#batch = batch;
    this.#lanes = new Lanes({ capacity, batch });
    this.#distance = new Distance(milliseconds);
    this.#pace = new Pace({ concurrent, random });
    this.#breaker = new Breaker({
      ...breaking,
      rotation: this.#rotation,
      changed: (state) => {
        observe({ type: 'key-service-changed', service, state });
        if (state === 'open') for (const job of this.#lanes.clear()) job.end(this.#held(), 'held-back');
      },
    });
    void this.#rotate();
  }

  /** `lane`: equal for what one request may sign together, and shown. @throws PaycertError of kind not-ready */
  ask(lane: string, way: Way, input: Uint8Array, use: KeyUse = 'sign'): Promise<Result> {
    const { service, observe } = this.#options;
    const started = this.#milliseconds();
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const job: Job<Way, Result> = {
      ...{ lane, way, input, isOver: false, leave: undefined, throttled: undefined },
      end: (result, outcome) => {
        if (job.isOver) return;
        job.isOver = true;
        inTime();
        job.leave?.();
        this.#lanes.remove(lane, job);
        const seconds = (this.#milliseconds() - started) / 1000;
        const about = { type: 'remote-signed', service, use, key: lane, outcome, seconds } as const;
        if (result instanceof PaycertError) {
          observe({ ...about, error: result });
          reject(result);
        } else {
          observe(about);
          resolve(result);
        }
      },
    };
    const inTime = this.#deadlines.begin(() => this.#endLate(job, use));
    if (this.#breaker.refuses) job.end(this.#held(), 'held-back');
    else if (this.#lanes.add(lane, job)) this.#wake();
    else job.end(new PaycertError('key-service-overloaded', `${String(capacity)} requests to ${use} with ${lane} wait for ${service}`), 'overloaded'); // prettier-ignore
    return promise;
  }

  #endLate(job: Job<Way, Result>, use: KeyUse): void {
    const { service, deadlineMilliseconds } = this.#options;
    const limited = job.throttled ?? this.#limited;
    const why = limited ?? new PaycertError('key-service-timeout', `${service} did not ${use} with ${job.lane} within ${String(deadlineMilliseconds)} ms`); // prettier-ignore
    job.end(why, limited ? 'throttled' : 'timed-out');
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#breaker.close();
  }

  #held(): PaycertError {
    const { service } = this.#options;
    return new PaycertError('key-service-unavailable', `nothing was sent to ${service}, which failed: it is tried again within seconds`); // prettier-ignore
  }

  /** Once for all that are asked for in this turn of the event loop, so that the items of a batch go together. */
  #wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    setImmediate(() => {
      this.#isWoken = false;
      this.#serve();
    });
  }

  #serve(): void {
    while (this.#limited === undefined && this.#underWay < this.#pace.allowed && !this.#breaker.refuses) {
      const jobs = this.#lanes.next((lane, waiting) => this.#mayBegin(lane, waiting));
      const [first] = jobs;
      if (first === undefined) return;
      const { lane, way } = first;
      this.#count(lane, 1);
      void this.#send(way, jobs).then(() => {
        this.#count(lane, -1);
        this.#serve();
      });
    }
  }

  /**
   * A request that is not full waits while its key has half of all that may be under way: what comes meanwhile goes with it, and fewer
   * requests with more in each cost the service, and us, less. Not where it is far away: there a caller
   * would wait as long as the way there takes.
   */
  #mayBegin(lane: string, waiting: number): boolean {
    return (
      waiting >= this.#batch ||
      this.#distance.isFar ||
      (this.#ofLane.get(lane) ?? 0) < Math.max(this.#pace.allowed / 2, 1)
    );
  }

  #count(lane: string, change: 1 | -1): void {
    this.#underWay += change;
    const left = (this.#ofLane.get(lane) ?? 0) + change;
    if (left > 0) this.#ofLane.set(lane, left);
    else this.#ofLane.delete(lane);
  }

  async #send(way: Way, jobs: readonly Job<Way, Result>[]): Promise<void> {
    const { send } = this.#options;
    const stop = new AbortController();
    let waiting = jobs.length;
    // When the deadline of the last of them is over, nobody waits for the response.
    const leave = () => {
      waiting -= 1;
      if (waiting === 0) stop.abort(done);
    };
    for (const job of jobs) job.leave = leave;
    try {
      const inputs = jobs.map(({ input }) => input);
      const started = this.#milliseconds();
      const results = await this.#breaker
        .run(
          () => send(way, inputs, stop.signal),
          (end) => (end.status === 'rejected' && isFailure(end.reason, stop.signal) ? 'failure' : 'success'),
        )
        .finally(() => {
          for (const job of jobs) job.leave = undefined;
        });
      for (const [index, job] of jobs.entries()) {
        const result =
          results[index] ?? new PaycertError('key-service-wrong', 'there are fewer signatures than were asked for');
        job.end(result, result instanceof PaycertError ? outcomeOf(result) : 'ok');
      }
      this.#distance.note(this.#milliseconds() - started);
      this.#pace.served();
    } catch (error) {
      if (error instanceof PaycertError && error.code === 'key-service-throttled') {
        this.#slowDown(jobs, error);
        return;
      }
      const held = error instanceof BreakerOpen;
      const why = held ? this.#held() : error instanceof PaycertError ? error : internal(error);
      for (const job of jobs) job.end(why, held ? 'held-back' : outcomeOf(why));
    }
  }

  /** Each waits for another turn, before those that came later; what its deadline ends meanwhile says why. */
  #slowDown(jobs: readonly Job<Way, Result>[], error: PaycertError): void {
    const { clock, service, observe } = this.#options;
    const left = jobs.filter((job) => !job.isOver);
    for (const job of left) job.throttled = error;
    const [first] = left;
    if (first !== undefined) this.#lanes.putBack(first.lane, left);
    observe({ type: 'key-service-throttled', service });
    // Those that were under way together are refused together: one pause for all of them.
    if (this.#limited !== undefined) return;
    this.#limited = error;
    void clock.sleep(this.#pace.refused(), this.#stop.signal).then(() => {
      this.#limited = undefined;
      this.#serve();
    });
  }

  /** The window of the breaker moves on. */
  async #rotate(): Promise<void> {
    const { signal } = this.#stop;
    for (; !signal.aborted; this.#rotation.emit('rotate'))
      await this.#options.clock.sleep(rotationMilliseconds, signal);
  }
}

const isFailure = (error: unknown, { aborted }: AbortSignal): boolean =>
  aborted || (error instanceof PaycertError && failures.has(error.code));

const outcomeOf = ({ code }: PaycertError): RemoteOutcome =>
  code === 'key-service-unavailable' ? 'unavailable' : code === 'key-service-timeout' ? 'timed-out' : 'refused';

const internal = (cause: unknown): PaycertError =>
  new PaycertError('internal-error', 'asking the key service failed unexpectedly', { cause });
