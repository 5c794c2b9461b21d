// List and watch that never stay stopped: a cache of what was kept of each object, whose subscribers get the changed keys.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { toError } from './responses.ts';
import type { KubeClient } from './client.ts';
import { type Collection, describeCall, type KubeObject, type WatchEvent } from './resources.ts';
import { guardEvents, guardSilence, Missed } from './guards.ts';
import { differences, type Kept, keyOf, readAll } from './listing.ts';
import { RelistTimer } from './relist-timer.ts';

/** `relist`: the watch was stalled and had not reported it. */
export type FoundBy = 'list' | 'watch' | 'relist';

export interface InformerOptions<T> {
  /** Asked before each call, so that what must be loaded or found first is tried again like a call. */
  readonly client: () => Promise<Pick<KubeClient, 'list' | 'watch'>>;
  readonly collection: Collection;
  /** For events; holds no secret. */
  readonly name: string;
  /** What is kept of an object. Nothing else of it outlives this call. */
  readonly transform: (object: KubeObject) => T;
  /** "Look again at this one." Called after the cache has changed; it must not throw. */
  readonly changed: (key: string, foundBy: FoundBy) => void;
  /** The initial list has been delivered. */
  readonly listed?: () => void;
  /** A watch stands, or stands again. */
  readonly stands?: () => void;
  /** How often a list looks for what the watch has missed, about. */
  readonly relistMilliseconds: number;
  readonly clock: Clock;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly observe: Observe;
}

/** The server ends a watch by itself after four to eight minutes, not all of them at once. */
const watchSeconds = 240;

const shortestBackoff = 500;
const longestBackoff = 30_000;

/** A watch that ends sooner is no better than one that failed: without a pause it would be a loop. */
const healthyMilliseconds = 5000;

/** After these the resume point is lost, or access to what is cached was revoked. */
const needList: ReadonlySet<string> = new Set([
  'watch-expired',
  'response-malformed',
  'cluster-forbidden',
  'cluster-unauthenticated',
]);

export class Informer<T> {
  readonly #options: InformerOptions<T>;
  #cache = new Map<string, Kept<T>>();
  #resourceVersion: string | undefined;
  #next: 'list' | 'relist' | 'watch' = 'list';
  #trouble: { readonly since: Date; readonly error: PaycertError } | undefined;
  #told: string | undefined;
  #failures = 0;
  #isForgotten = false;
  #acceptedAt: Date | undefined;
  #eventsSeen = 0;
  readonly #timer: RelistTimer;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.#timer = new RelistTimer(options);
  }

  /** Whether everything has been listed once. */
  get isSynced(): boolean {
    return this.#resourceVersion !== undefined;
  }

  /** Since when it can neither list nor watch, and why; undefined while a watch stands. */
  get trouble(): { readonly since: Date; readonly error: PaycertError } | undefined {
    return this.#trouble;
  }

  /** By `namespace/name`, or the name alone of what has no namespace. */
  get(key: string): T | undefined {
    return this.#cache.get(key)?.value;
  }

  entries(): [string, T][] {
    return [...this.#cache].map(([key, { value }]) => [key, value]);
  }

  /** Ends on abort only; rejects only with what is a bug. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#repeat(signal);
    } finally {
      if (this.#told !== undefined) this.#options.observe({ type: 'watch-ended', source: this.#options.name });
    }
  }

  async #repeat(signal: AbortSignal): Promise<void> {
    const isOver = () => signal.aborted;
    while (!isOver()) {
      this.#acceptedAt = undefined;
      try {
        if (this.#next !== 'watch') await this.#list(this.#next, signal);
        await this.#watch(signal);
      } catch (error) {
        if (isOver()) return;
        this.#fail(error);
      }
      if (this.#stoodFor() < healthyMilliseconds) this.#failures += 1;
      else [this.#failures, this.#isForgotten] = [0, false];
      if (this.#failures > 0) await this.#options.clock.sleep(this.#backoff(), signal);
    }
  }

  #stoodFor(): number {
    return this.#acceptedAt === undefined ? 0 : this.#options.clock.now().getTime() - this.#acceptedAt.getTime();
  }

  #backoff(): number {
    const longest = Math.min(shortestBackoff * 2 ** (this.#failures - 1), longestBackoff);
    return longest * (0.5 + this.#options.random() / 2);
  }

  #fail(error: unknown): void {
    const { clock, name, observe } = this.#options;
    if (error instanceof Missed) {
      this.#next = 'relist';
      observe({ type: 'watch-failed', source: name, reason: 'missed-event' });
      return;
    }
    if (!(error instanceof PaycertError)) throw error;
    if (needList.has(error.code)) this.#next = 'list';
    // A server that says that is back: the pauses of the outage before it are over. Once only, or it would be a loop.
    if (error.code === 'watch-expired' && !this.#isForgotten) [this.#failures, this.#isForgotten] = [0, true];
    this.#trouble = { since: this.#trouble?.since ?? clock.now(), error };
    // The same failure at every attempt is no news.
    if (this.#told === error.code) return;
    this.#told = error.code;
    observe({ type: 'watch-failed', source: name, reason: error.code, error });
  }

  async #list(foundBy: FoundBy & ('list' | 'relist'), signal: AbortSignal): Promise<void> {
    const { client, collection, transform, changed, listed } = this.#options;
    const { objects, resourceVersion } = await readAll(await client(), collection, transform, signal);
    const keys = differences(this.#cache, objects);
    this.#cache = objects;
    this.#resourceVersion = resourceVersion;
    this.#next = 'watch';
    this.#timer.spread(signal);
    for (const key of keys) changed(key, foundBy);
    listed?.();
  }

  /** One watch, from where the last one ended, until the server ends it. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { client, collection, random } = this.#options;
    const stop = new AbortController();
    const flight = AbortSignal.any([signal, stop.signal]);
    const failures: unknown[] = [];
    const give = (error: unknown) => {
      if (!flight.aborted) failures.push(error);
      stop.abort();
    };
    const guards: Promise<void>[] = [];
    try {
      const timeoutSeconds = Math.round(watchSeconds * (1 + random()));
      const from = { resourceVersion: this.#resourceVersion ?? '', timeoutSeconds };
      const events = await (await client()).watch(collection, from, flight);
      this.#accepted();
      guards.push(
        guardSilence(this.#options, () => this.#eventsSeen, flight).catch(give),
        guardEvents({ ...this.#options, timer: this.#timer, lifetime: signal }, () => this.#cache, flight).catch(give),
      );
      for await (const event of events) this.#take(event);
    } catch (error) {
      give(error);
    } finally {
      stop.abort();
      await Promise.all(guards);
    }
    if (failures.length > 0) throw failures[0];
  }

  #accepted(): void {
    const { clock, name, observe, stands } = this.#options;
    this.#acceptedAt = clock.now();
    if (this.#trouble !== undefined) observe({ type: 'watch-restarted', source: name });
    this.#trouble = undefined;
    this.#told = undefined;
    stands?.();
  }

  #take({ type, object }: WatchEvent): void {
    const { collection, transform, changed } = this.#options;
    this.#eventsSeen += 1;
    if (type === 'ERROR') throw toError(Number(object['code'] ?? 500), describeCall('watch', collection), object);
    const { resourceVersion = '', uid = '' } = object.metadata;
    this.#resourceVersion = resourceVersion;
    if (type === 'BOOKMARK') return;
    const key = keyOf(object);
    if (type === 'DELETED') this.#cache.delete(key);
    else this.#cache.set(key, { uid, resourceVersion, value: transform(object) });
    changed(key, 'watch');
  }
}
