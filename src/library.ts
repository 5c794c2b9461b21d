// The same store, sources and providers inside a Node program: credentials that follow their material.
import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from './clock.ts';
import { Credentials } from './running/credentials.ts';
import { startKeyServices } from './running/key-services.ts';
import { wayOutOf } from './running/way-out.ts';
import { parseCredentials, parseKeyServices, parseWayOut } from './config/load.ts';
import type { CredentialConfig } from './config/schema/credential.ts';
import type { KeyServicesConfig } from './config/schema/key-services.ts';
import type { WayOutConfig } from './config/schema/way-out.ts';
import { poolLimiter } from './store/limiter.ts';
import { PaycertError } from './errors.ts';
import { isolate, type Observe } from './events.ts';
import { randomNonce } from './nonce.ts';
import type { SigningContext } from './providers/provider.ts';
import type { Tracing } from './otlp/tracing.ts';
import { openQueries } from './reconcile/open.ts';
import { queryingOf } from './reconcile/query.ts';
import { reconcile, type Reconciled } from './reconcile/reconcile.ts';
import type { AskResponder } from './revocation/ask-responder.ts';
import { aroundEach } from './store/call.ts';
import { lacking, type Snapshot } from './store/snapshot.ts';
import { type Entry, reasonOfNoSnapshot, Store } from './store/store.ts';
import { apart, CredentialUse } from './store/credential-use.ts';
import type { Begin, CredentialOperations } from './store/use.ts';
import { signingPool } from './system/pool-size.ts';
import { namesCollector } from './trace.ts';

/** What a program may give beside its credentials; nothing of it is needed. */
export interface LibraryOptions {
  /** Receives every event: what was swapped, rejected and used. */
  readonly observe?: Observe;
  /** Default: the time of this machine. */
  readonly clock?: Clock;
  /** What `source.env` and `UV_THREADPOOL_SIZE` are read from. Default: `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How OCSP responders are asked about our own certificates, such as through a proxy. Default: over HTTP, from here. */
  readonly askResponder?: AskResponder;
  /** Where keys stay that the material only refers to, as under `keyServices` in `paycert.yaml`. Default: nowhere. */
  readonly keyServices?: KeyServicesConfig;
  /** The proxy between this program and the platforms, as `wayOut` in `paycert.yaml`: for downloads, live checks and `reconcile`. Default: none. */
  readonly wayOut?: WayOutConfig;
  /**
   * Exports a span of each operation, and of each call of a platform that is made here by itself, to the collector that the variables
   * of OpenTelemetry in `environment` name (`OTEL_EXPORTER_OTLP_ENDPOINT`). Default: nothing is traced, whatever they say.
   */
  readonly tracing?: boolean;
}

/** What a program may say of its use. */
export interface CallOptions {
  /** Aborted when nobody waits for the result: what has not been signed then is not, `caller-gone`. */
  readonly signal?: AbortSignal;
  /** To find the call again in what is observed; a share of requests is chosen by it too. Default: random. */
  readonly id?: string;
  /** The span that it belongs to, as W3C Trace Context writes it, where `tracing` is on. Default: a trace begins. */
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** What is known of one set of keys: facts, and no secret. */
export interface SnapshotFacts extends Pick<Snapshot, 'generation' | 'snapshotId' | 'loadedAt' | 'version'> {
  /** Its keys, and what it presents and trusts in TLS. */
  readonly context: Omit<SigningContext, 'operations'>;
}

/** A credential as it is current now: its facts, and its operations. Each is counted as the sidecar counts it. */
export interface CurrentCredential extends SnapshotFacts, CredentialOperations {}

/** One credential with its policy, its current set if there is one, and what is wrong with the newest. */
export interface CredentialState extends Omit<Entry, 'snapshot' | 'forwarding' | 'notifying' | 'querying'> {
  readonly snapshot?: SnapshotFacts & Pick<Snapshot, 'unopened'>;
}

/** How a program asks about orders; nothing of it is needed. */
export interface ReconcileOptions {
  /** When each is asked for, in milliseconds after the first time. Default: when the platform's notifications come, for a day. */
  readonly afterMilliseconds?: readonly number[];
  /** Ends the run: what is not final by then is reported as open. */
  readonly signal?: AbortSignal;
  /** When earlier runs asked first, by order: `firstAt` of what they reported. */
  readonly firstAt?: ReadonlyMap<string, Date>;
  /** Receives each order as soon as its state is final, or the last query is made. */
  readonly settled?: (reconciled: Reconciled) => void;
  /** The origin of a platform double, in place of the platform's own. */
  readonly double?: string;
  /**
   * The credential of another interface of the same merchant, such as WeChat Pay v2 beside APIv3: asked for an order that the first one
   * says nothing of. `from` in the result names it. Default: none is.
   */
  readonly fallback?: string | { readonly credential: string; readonly double?: string };
}

/** Credentials that reload themselves until `stop`. `await using` stops them at the end of its block. */
export interface Paycert extends AsyncDisposable {
  /**
   * The credential to use for one operation: take it once, and again for the next, which may find newer keys.
   * @throws PaycertError `credential-unknown`; `credential-not-loaded` while there is no valid material
   */
  current(name: string, options?: CallOptions): CurrentCredential;
  /** Calls `told` after each swap of that credential, until the function that it returns is called. */
  follow(name: string, told: () => void): () => void;
  /**
   * What became of orders whose notification never came: asks the platform at the times at which its notifications would come, until
   * the state of each is final. WeChat Pay APIv3 and v2, Alipay. Only responses that verify count. A number that comes twice is asked
   * for once. Needs the package `undici`.
   * @throws PaycertError `credential-unknown`, `operation-unsupported`, `package-missing`; what a query fails with is in its result
   * @example
   * const openOrders = (): string[] => []; // from your database
   * const results = await paycert.reconcile('wechat-main', openOrders(), { signal: AbortSignal.timeout(3_600_000) });
   * console.log(results.filter(({ isFinal }) => !isFinal).map(({ order, state }) => `${order}: ${state}`)); // → []
   */
  reconcile(
    name: string,
    orders: AsyncIterable<string> | Iterable<string>,
    options?: ReconcileOptions,
  ): Promise<readonly Reconciled[]>;
  /** Every credential as it is, for health checks and status pages. */
  entries(): readonly CredentialState[];
  /** Ends every reload and watch. What runs already ends by itself; a second call does nothing. */
  stop(): Promise<void>;
}

/**
 * Starts credentials, given as under `credentials` in `paycert.yaml`, and resolves when each has been looked at once. From then on
 * they follow their material by themselves.
 *
 * RSA runs in libuv's thread pool, which a library cannot size: set UV_THREADPOOL_SIZE to the number of cores, and twelve
 * more for the files and names that are waited for in the same pool.
 * @throws PaycertError `config-invalid`; `credential-not-loaded` when a required one has no valid material, with its `cause`
 * @example
 * import { startPaycert } from 'paycert';
 *
 * await using paycert = await startPaycert([
 *   {
 *     name: 'wechat-main',
 *     required: true,
 *     provider: { wechatpay: { merchantId: '1900000001' } },
 *     source: { files: { path: '/etc/paycert/wechat-main' } },
 *   },
 * ]);
 * const { headers } = await paycert.current('wechat-main').authorize({ method: 'GET', url: '/v3/certificates' });
 * console.log(headers.Authorization.slice(0, 25)); // → WECHATPAY2-SHA256-RSA2048
 */
export async function startPaycert(
  credentials: readonly CredentialConfig[],
  options: LibraryOptions = {},
): Promise<Paycert> {
  const { observe = () => undefined, clock = systemClock, environment = process.env, askResponder } = options;
  const parsed = parseCredentials(listOf(credentials));
  const services = parseKeyServices(options.keyServices ?? {});
  const wayOut = await wayOutOf(options.wayOut && parseWayOut(options.wayOut));
  const store = new Store();
  const waiting = new Map(parsed.map(({ name }) => [name, Promise.withResolvers<undefined>()]));
  const tell = isolate(observe);
  const followers = new Set<Observe>();
  let tracing: Tracing | undefined;
  const watching: Observe = (event) => {
    tell(event);
    tracing?.observe(event);
    for (const follower of followers) follower(event);
    running.noticed(event);
    const looks =
      event.type === 'swapped' ||
      event.type === 'rejected' ||
      event.type === 'deferred' ||
      event.type === 'source-failed' ||
      event.type === 'internal-error';
    if (looks && event.credential !== undefined) waiting.get(event.credential)?.resolve(undefined);
  };
  if (options.tracing === true && namesCollector(environment)) {
    const { startTracing } = await import('./otlp/tracing.ts');
    const providerOf = (name: string) => (store.has(name) ? store.entry(name).provider : undefined);
    tracing = startTracing({ environment, clock, observe: watching, providerOf });
  }
  const keyServices = await startKeyServices(services, { clock, observe: watching });
  const running = new Credentials(
    { store, clock, limiter: poolLimiter(...signingPool(environment)), observe: watching },
    { clock, observe: watching, environment, askResponder, keyServices, wayOut, traceOf: () => tracing?.traceOf({}) },
  );
  const stop = async () => {
    await running.stop();
    await keyServices[Symbol.asyncDispose]();
    await tracing?.close();
  };
  running.apply(parsed);
  await Promise.all([...waiting.values()].map(({ promise }) => promise));
  const missing = store.entries().find(({ isRequired, snapshot }) => isRequired && snapshot === undefined);
  if (missing !== undefined) {
    await stop();
    const cause = reasonOfNoSnapshot(missing);
    throw new PaycertError(
      'credential-not-loaded',
      `${missing.name} has no valid material: ${cause?.message ?? 'unknown'}`,
      { field: missing.name, cause },
    );
  }
  const around = aroundEach({ observe: watching, milliseconds: () => performance.now(), most: mostCalls });
  return {
    current(name, { id = randomUUID(), signal = endless, traceparent, tracestate } = {}) {
      const snapshot = store.current(name);
      const begin: Begin = (operation, work) => {
        const of = { id, signal, credential: name, operation, caller: { listener: 'library' } };
        const trace = tracing?.traceOf({ traceparent, tracestate });
        const call = { ...of, startedAt: clock.now(), ...(trace && { trace }) };
        return around(call, () => work(call));
      };
      const { generation, snapshotId, context, loadedAt, version } = snapshot;
      const facts = { generation, snapshotId, context, loadedAt, version };
      const use = new CredentialUse(snapshot, begin, { observe: watching, nonce: randomNonce });
      return { ...facts, ...apart(use) };
    },
    follow(name, told) {
      const follower = isolate((event) => event.type === 'swapped' && event.credential === name && told());
      followers.add(follower);
      return () => followers.delete(follower);
    },
    async reconcile(name, orders, { afterMilliseconds, signal = endless, firstAt, settled, double, fallback } = {}) {
      const querying = queryingOf(store.entry(name));
      const other = typeof fallback === 'string' ? { credential: fallback } : fallback;
      const instead = other && { store, ...other };
      const of = {
        store,
        clock,
        observe: watching,
        around,
        credential: name,
        double,
        instead,
        wayOut,
        learn: running.learn,
        traceOf: () => tracing?.traceOf({}),
      };
      const queries = await openQueries(of);
      const results: Reconciled[] = [];
      try {
        await reconcile(orders, {
          ...{ query: queries.query, clock, signal, ...(firstAt && { firstAt }) },
          afterMilliseconds: afterMilliseconds ?? querying.afterMilliseconds,
          settled(reconciled) {
            results.push(reconciled);
            settled?.(reconciled);
          },
        });
      } finally {
        await queries.close();
      }
      return results;
    },
    entries: () => store.entries(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The whole of a configuration is what a program often has at hand, where no compiler checks it. */
function listOf(credentials: readonly CredentialConfig[]): readonly CredentialConfig[] {
  if (Array.isArray(credentials) || !Object.hasOwn(Object(credentials) as object, 'credentials')) return credentials;
  const message = 'a program gives the list alone: pass `credentials` of the configuration';
  throw new PaycertError('config-invalid', message, { field: 'credentials' });
}

/** Under way at once. More would wait in memory longer than anybody waits for them. */
const mostCalls = 4096;

const endless = new AbortController().signal;

/**
 * Whether a credential is loaded and can do what `require` asks of it, now or at another time.
 * @example
 * import { isReady } from 'paycert';
 *
 * // In the endpoint of a readiness probe:
 * const unready = paycert.entries().filter((state) => state.isRequired && !isReady(state));
 * console.log(unready.map(({ name, rejection }) => `${name}: ${rejection?.error.message ?? 'not loaded'}`)); // → []
 */
export const isReady = (
  { snapshot, requires }: Pick<CredentialState, 'snapshot' | 'requires'>,
  now: Date = systemClock.now(),
): boolean => snapshot !== undefined && lacking(snapshot, requires, now).length === 0;
