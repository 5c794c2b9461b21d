// paycert sidecar: the composition root of the real thing.
import { isDeepStrictEqual } from 'node:util';
import { type Clock, flushMilliseconds } from '../clock.ts';
import { defaults } from '../config/defaults.ts';
import { tokenFilesOf } from '../config/read.ts';
import type { Config } from '../config/schema/config.ts';
import type { PaycertError } from '../errors.ts';
import { type Event, isolate, type Observe } from '../events.ts';
import type { Tracing } from '../otlp/tracing.ts';
import { RunningConfiguration } from '../running/configuration.ts';
import { startKeyServices } from '../running/key-services.ts';
import { wayOutOf } from '../running/way-out.ts';
import { FollowedFiles } from '../server/followed-files.ts';
import { KeptKeys } from '../server/kept-keys.ts';
import { UseStates } from '../server/use-states.ts';
import { LastGoodDirectory } from '../sources/last-good.ts';
import { currentMounts } from '../sources/mounts.ts';
import { aroundEach } from '../store/call.ts';
import { poolLimiter } from '../store/limiter.ts';
import { SignedMemory } from '../store/signed-memory.ts';
import { reasonOfNoSnapshot, Store } from '../store/store.ts';
import { keepTick } from '../system/kept-tick.ts';
import { giveBackSpareMemory } from '../system/spare-memory.ts';
import { signingPool } from '../system/pool-size.ts';
import { namesCollector } from '../trace.ts';
import { createLog } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { openOutput } from '../telemetry/output.ts';
import type { RunningAudit } from './sidecar-audit.ts';
import { type ConfigPlace, followConfig, FollowedTokens, readPlace } from './sidecar-files.ts';
import { limitsOf, SidecarListeners } from './sidecar-listeners.ts';
import { foreignThreadsOf } from './sidecar-threads.ts';

export interface SidecarOptions {
  readonly config: ConfigPlace;
  /** How long to keep serving after the signal to stop, so that callers and endpoints can follow. */
  readonly drainMilliseconds: number;
  readonly version: string;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Receives every event too; the demo watches through it. */
  readonly observe?: Observe;
  /** Where lines go instead of standard output. */
  readonly isSilent?: boolean;
}

/** Serves until aborted, then drains and ends. Throws what makes a start impossible. */
export async function runSidecar(options: SidecarOptions, signal: AbortSignal): Promise<void> {
  const { config: place, clock, version, environment } = options;
  const config = await readPlace(place, environment);
  const now = () => clock.now();
  const elapsed = () => performance.now();
  const store = new Store();
  let audit: RunningAudit | undefined;
  let tracing: Tracing | undefined;
  const metrics = createMetrics({ store, clock, version, auditHead: () => audit?.audit.end });
  const output = openOutput((lines) => metrics.observe({ type: 'lines-dropped', lines }));
  const log =
    options.isSilent === true ? () => undefined : createLog(config.log?.level ?? defaults.logLevel, output, now);
  const tokenNames = tokenFilesOf(config).map(([file]) => file);
  let isServing = false;
  const remoteKeys = new UseStates(clock);
  const keptKeys = new KeptKeys(now);
  const followedFiles = new FollowedFiles([...('path' in place ? ['configuration' as const] : []), ...tokenNames], now);
  const observers = [
    metrics.observe,
    log,
    (event: Event) => followedFiles.observe(event),
    (event: Event) => remoteKeys.observe(event),
    (event: Event) => keptKeys.observe(event),
    (event: Event) => configured.noticed(event),
    (event: Event) => audit?.audit.observe(event),
    (event: Event) => tracing?.observe(event),
    options.observe ?? (() => undefined),
    ({ type }: Event) => (isServing ||= isOfCaller.has(type)),
  ].map(isolate);
  const observe = (event: Event) => observers.forEach((tell) => tell(event));
  const following = { clock, observe };
  const limiter = poolLimiter(...signingPool(environment));
  const lastGood =
    config.lastGood && new LastGoodDirectory({ ...config.lastGood, pod: environment['PAYCERT_POD_UID'] });
  const wayOut = await wayOutOf(config.wayOut);
  const keyServices = await startKeyServices(config.keyServices ?? {}, following);
  const configured = new RunningConfiguration(
    { store, clock, limiter, observe },
    { clock, observe, environment, lastGood, keyServices, wayOut, traceOf: () => tracing?.traceOf({}) },
  );

  const tokens = await FollowedTokens.read(config);
  if (config.audit !== undefined) {
    const { startAudit } = await import('./sidecar-audit.ts');
    const print = (line: string) => output.write(line);
    const key = () => tokens.get('audit-key');
    audit = startAudit(config.audit, { ...following, version, environment, key, print });
  }
  if (namesCollector(environment)) {
    const { startTracing } = await import('../otlp/tracing.ts');
    const providerOf = (name: string) => (store.has(name) ? store.entry(name).provider : undefined);
    tracing = startTracing({ ...following, version, environment, providerOf });
  }
  const limits = limitsOf(config);
  const facts = {
    ...{ store, clock, observe, version, startedAt: now(), files: () => followedFiles.list() },
    audit: () => audit?.audit.state,
    keptKeys: () => keptKeys.list(),
    remoteKeys: () => remoteKeys.list(),
  };
  const listeners = new SidecarListeners(config, limits, {
    ...{ tokens, audit, limiter, wayOut, learn: configured.learn },
    admin: { ...facts, metrics, auditSighting: () => audit?.audit.sighting },
    api: {
      ...facts,
      around: aroundEach({ observe, milliseconds: elapsed, most: limits.callers.connections, audit: audit?.around }),
      maxBodyBytes: config.listen.maxBodyBytes ?? defaults.maxBodyBytes,
      memory: config.remember === undefined ? undefined : new SignedMemory(config.remember),
      witness: audit?.witness,
      traceOf: tracing?.traceOf,
    },
  });
  const apply = (next: Config) => {
    configured.apply(next);
    listeners.apply(next);
    const needsRestart = !isDeepStrictEqual(fixedParts(next), fixedParts(config)) || mayHold(next) > mayHold(config);
    observe({ type: 'configured', credentials: countOf(next), needsRestart });
  };

  const ended = new AbortController();
  try {
    // A probe must not find nothing to wait for.
    configured.declare(config);
    await listeners.open();
    apply(config);
    void keepTick();
    void giveBackSpareMemory({ clock, isServing: () => isServing }, ended.signal);
    const stop = AbortSignal.any([signal, ended.signal]);
    const followed = [
      followConfig(place, { ...following, initial: config, apply }, stop),
      tokens.follow(following, stop),
    ];
    // What follows ends at once or with the signal, unless it fails.
    await Promise.race([Promise.all([...followed, aborted(signal)]), aborted(signal)]);

    observe({ type: 'stopping', drainSeconds: options.drainMilliseconds / 1000 });
    await clock.sleep(options.drainMilliseconds, new AbortController().signal);
    const why = reasonOfNoStart(store);
    if (why) throw why;
  } finally {
    ended.abort();
    await listeners.close();
    await configured.stop();
    await keyServices[Symbol.asyncDispose]();
    await tracing?.close();
    const written = audit?.audit.close().then(() => output.flush()) ?? output.flush();
    await Promise.race([written, clock.sleep(flushMilliseconds, new AbortController().signal)]);
  }
}

/** Stopped before it could start: kubelet's startup probe has given up. The error is the last word of the container, and so its termination message. */
function reasonOfNoStart(store: Store): PaycertError | undefined {
  const unloaded = store.entries().find(({ isRequired, snapshot }) => isRequired && snapshot === undefined);
  return unloaded && reasonOfNoSnapshot(unloaded);
}

/** Somebody waits for what comes of it. */
const isOfCaller: ReadonlySet<Event['type']> = new Set(['operated', 'forwarded', 'notified']);

const countOf = ({ credentials, resources }: Config): number => credentials.length + resources.length;

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const mayHold = (config: Config): number => foreignThreadsOf(config, currentMounts());

/** What only a new process picks up. */
const fixedParts = ({
  listen,
  admin,
  log,
  remember,
  lastGood,
  keyServices,
  wayOut,
  audit,
  proxy,
  notifications,
}: Config) => {
  const { routes: _, ...fixed } = proxy ?? {};
  return { listen, admin, log, remember, lastGood, keyServices, wayOut, audit, notifications, proxy: proxy && fixed };
};
