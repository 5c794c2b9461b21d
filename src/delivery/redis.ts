// What was delivered, in a Redis that all pods share. Loads @redis/client, on demand.
import type { RedisClientType } from '@redis/client';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { loadOptional } from '../optional-package.ts';
import { createLookup } from '../system/lookup.ts';
import type { Claim, SharedStore } from './claims.ts';

export interface RedisOptions {
  /** `redis://` or `rediss://` with host and port. */
  readonly address: string;
  readonly username?: string | undefined;
  /** As it is now; asked for with each connection. */
  readonly password: () => string | undefined;
  /** Authorities, in PEM, in place of Node's. */
  readonly ca?: string | undefined;
  readonly database: number;
  readonly prefix: string;
  /** How long one command may take, and so hold up a notification. */
  readonly deadlineMilliseconds: number;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** Whether it answers; and why not, since when. */
export interface SharedState {
  readonly isAvailable: boolean;
  readonly since: Date;
  readonly error?: PaycertError;
}

export interface RedisStore extends SharedStore {
  state(): SharedState;
  close(): void;
}

const connectMilliseconds = 2000;
/** A connection on which nothing comes for so long is given up, and so often something must come. */
const silentMilliseconds = 5000;
const pingMilliseconds = 2000;
const longestPauseMilliseconds = 2000;
/** More wait for no connection that hangs. */
const mostWaiting = 4096;

const delivered = 'delivered';
/** Compared and deleted in one step: between two, the claim may have become another pod's. */
const releaseOwn = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/** Connects in the background: a start waits for nothing. @throws PaycertError `package-missing` */
export async function openRedis(options: RedisOptions): Promise<RedisStore> {
  const { createClient } = await loadOptional('@redis/client', 'notifications.dedupe', () => import('@redis/client'));
  const { address, username, password, ca, database } = options;
  const { protocol, hostname, port } = new URL(address);
  const place = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port === '' ? 6379 : port) };
  const pacing = {
    connectTimeout: connectMilliseconds,
    socketTimeout: silentMilliseconds,
    reconnectStrategy: (tries: number) => Math.min(100 * 2 ** Math.min(tries, 10), longestPauseMilliseconds),
  };
  // Names are looked up in no thread.
  const plain = { ...place, ...pacing, lookup: createLookup() };
  const secure = { ...plain, tls: true, minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) } as const;
  const client = createClient({
    socket: protocol === 'rediss:' ? secure : plain,
    database,
    credentialsProvider: {
      type: 'async-credentials-provider',
      credentials: async () => {
        const current = password();
        return { ...(username !== undefined && { username }), ...(current !== undefined && { password: current }) };
      },
    },
    disableOfflineQueue: true,
    commandsQueueMaxLength: mostWaiting,
    pingInterval: pingMilliseconds,
  });
  return new Redis(client, options);
}

class Redis implements RedisStore {
  readonly #client: RedisClientType;
  readonly #options: RedisOptions;
  readonly #observe: Observe;
  #state: SharedState;
  /** Commands whose deadline is over, and that have no response: until they have one, nobody waits for others. */
  #overdue = 0;

  constructor(client: RedisClientType, options: RedisOptions) {
    this.#client = client;
    this.#options = options;
    this.#observe = options.observe;
    this.#state = { isAvailable: false, since: options.clock.now() };
    client.on('ready', () => this.#became());
    client.on('error', (error: unknown) => this.#became(unavailable(`cannot be used (${reasonOf(error)})`)));
    client.connect().catch((error: unknown) => this.#became(unavailable(`cannot be used (${reasonOf(error)})`)));
  }

  state(): SharedState {
    return this.#state;
  }

  async claim(key: string, owner: string, milliseconds: number): Promise<Claim> {
    const name = this.#name(key);
    const set = { condition: 'NX', expiration: { type: 'PX', value: milliseconds } } as const;
    if ((await this.#ask(() => this.#client.set(name, owner, set))) !== null) return 'ours';
    // Gone meanwhile: the platform sends it again, and it is free then.
    return (await this.#ask(() => this.#client.get(name))) === delivered ? 'delivered' : 'under-way';
  }

  async noteDelivered(key: string, milliseconds: number): Promise<void> {
    const expiration = { type: 'PX', value: milliseconds } as const;
    await this.#ask(() => this.#client.set(this.#name(key), delivered, { expiration }));
  }

  async release(key: string, owner: string): Promise<void> {
    await this.#ask(() => this.#client.eval(releaseOwn, { keys: [this.#name(key)], arguments: [owner] }));
  }

  close(): void {
    this.#client.removeAllListeners('error').on('error', () => undefined);
    if (this.#client.isOpen) this.#client.destroy();
  }

  #name(key: string): string {
    return `${this.#options.prefix}${key}`;
  }

  async #ask<T>(command: () => Promise<T>): Promise<T> {
    const { clock, deadlineMilliseconds } = this.#options;
    if (!this.#client.isReady || this.#overdue > 0) throw this.#state.error ?? unavailable('is not connected yet');
    const late = Symbol('late');
    const [over, asked] = [new AbortController(), Promise.resolve().then(command)];
    const first = await Promise.race([
      asked.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      ),
      clock.sleep(deadlineMilliseconds, over.signal).then(() => late),
    ]);
    // A reason of ours: Node would make an error with its stack for each.
    over.abort('done');
    if (typeof first === 'symbol') {
      this.#overdue += 1;
      asked.then(
        () => this.#answered(),
        () => (this.#overdue -= 1),
      );
      throw this.#became(unavailable(`has not answered within ${String(deadlineMilliseconds)} ms`));
    }
    if ('value' in first) {
      this.#became();
      return first.value;
    }
    throw this.#became(unavailable(`refuses (${reasonOf(first.error)})`));
  }

  #answered(): void {
    this.#overdue -= 1;
    if (this.#overdue === 0 && this.#client.isReady) this.#became();
  }

  #became<E extends PaycertError | undefined>(error?: E): E {
    const { clock } = this.#options;
    const isNews =
      this.#state.isAvailable === (error !== undefined) || (error !== undefined && this.#state.error === undefined);
    const since = isNews ? clock.now() : this.#state.since;
    this.#state = { isAvailable: error === undefined, since, ...(error && { error }) };
    if (isNews) this.#observe({ type: 'dedupe-changed', isAvailable: error === undefined, ...(error && { error }) });
    return error as E;
  }
}

const unavailable = (what: string) => new PaycertError('dedupe-unavailable', `the Redis of notifications ${what}`);

/** Node's code, or the first word of what Redis says, such as NOAUTH: the rest is foreign text. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code } = error as NodeJS.ErrnoException;
  return code ?? /^[A-Z]{2,16}(?= |$)/.exec(error.message)?.[0] ?? error.name;
}
