// paycert sidecar: the composition root of the real thing.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../clock.ts';
import { RunningConfiguration } from '../running/configuration.ts';
import { startKeyServices } from '../running/key-services.ts';
import { defaults, milliseconds } from '../config/defaults.ts';
import { parseForStart, readConfig, readConfigVariable, tokenFilesOf } from '../config/read.ts';
import type { Config } from '../config/schema/config.ts';
import { socketsOf } from '../config/sockets.ts';
import { parseToken, readToken } from '../config/token.ts';
import { poolLimiter } from '../store/limiter.ts';
import type { PaycertError } from '../errors.ts';
import { type Event, isolate, type Observe, type TokenFile } from '../events.ts';
import { createAdmin } from '../server/admin.ts';
import { FollowedFiles } from '../server/followed-files.ts';
import { createApi } from '../server/http.ts';
import type { Listener } from '../server/bind.ts';
import { type ListenerKind, shareOut } from '../server/limits.ts';
import { listenOnPort, listenOnTcp } from '../server/listeners.ts';
import { listenOnSocket, type SocketListener } from '../server/socket.ts';
import { aroundEach } from '../store/call.ts';
import { SignedMemory } from '../store/signed-memory.ts';
import { files as filesSource } from '../sources/files.ts';
import { LastGoodDirectory } from '../sources/last-good.ts';
import { reasonOfNoSnapshot, Store } from '../store/store.ts';
import { signingThreads } from '../system/threads.ts';
import { createLog } from '../telemetry/log.ts';
import type { LogLevel } from '../telemetry/log-lines.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { flushMilliseconds, openOutput } from '../telemetry/output.ts';
import { followFile } from './follow.ts';
import { usageError } from './command.ts';
import type { RunningAudit } from './sidecar-audit.ts';
import type { RunningNotifications } from './sidecar-notifications.ts';
import type { RunningProxy } from './sidecar-proxy.ts';

/** A file, which is followed, or an environment variable, which only a new process has another value of. */
export type ConfigPlace = { readonly path: string } | { readonly variable: string };

/** @throws PaycertError `usage` */
export function configPlace(path: string | undefined, variable: string | undefined): ConfigPlace {
  if (path !== undefined && variable === undefined) return { path };
  if (path === undefined && variable !== undefined) return { variable };
  throw usageError('--config or --config-env is needed, one of the two');
}

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
  const isFile = 'path' in place;
  const config = isFile ? await readConfig(place.path) : await readConfigVariable(place.variable, environment);
  const store = new Store();
  let audit: RunningAudit | undefined;
  const metrics = createMetrics({ store, clock, version, auditHead: () => audit?.audit.head });
  const output = openOutput((lines) => metrics.observe({ type: 'lines-dropped', lines }));
  const log: Observe =
    options.isSilent === true ? () => undefined : createLog(levelOf(config), output, () => clock.now());
  const { tcp } = config.listen;
  const tokenNames = tokenFilesOf(config).map(([file]) => file);
  const followedFiles = new FollowedFiles([...(isFile ? ['configuration' as const] : []), ...tokenNames], () =>
    clock.now(),
  );
  const files = () => followedFiles.list();
  const observers = [
    metrics.observe,
    log,
    (event: Event) => followedFiles.observe(event),
    (event: Event) => configured.noticed(event),
    (event: Event) => audit?.audit.observe(event),
    options.observe ?? (() => undefined),
  ].map(isolate);
  const observe = (event: Event) => observers.forEach((tell) => tell(event));
  const limiter = poolLimiter(signingThreads(environment));
  const lastGood =
    config.lastGood && new LastGoodDirectory({ ...config.lastGood, pod: environment['PAYCERT_POD_UID'] });
  const keyServices = await startKeyServices(config.keyServices ?? {}, { clock, observe });
  const configured = new RunningConfiguration(
    { store, clock, limiter, observe },
    { clock, observe, environment, lastGood, keyServices },
  );

  let isListening = false;
  const sockets: SocketListener[] = [];
  let proxy: RunningProxy | undefined;
  let notifications: RunningNotifications | undefined;
  const hosts = () => proxy?.hosts();
  const startedAt = clock.now();
  const admin = createAdmin({
    ...{ store, clock, metrics, version, startedAt, observe, files, hosts },
    isListening: () => isListening,
    impediment: () =>
      sockets.map((socket) => socket.impediment()).find((why) => why !== undefined) ?? proxy?.socket?.impediment(),
  });
  const memory = config.remember === undefined ? undefined : new SignedMemory(config.remember);
  const { maxBodyBytes = defaults.maxBodyBytes } = config.listen;
  const limits = shareOut(listenersOf(config));

  const tokens = new Map<TokenFile, string>();
  for (const [file, path] of tokenFilesOf(config)) tokens.set(file, await readToken(path, file));
  if (config.audit !== undefined) {
    const { startAudit } = await import('./sidecar-audit.ts');
    const key = () => tokens.get('audit-key');
    audit = startAudit(config.audit, {
      clock,
      observe,
      version,
      environment,
      key,
      print: (line) => output.write(line),
    });
  }
  const around = aroundEach({
    ...{ observe, milliseconds: () => performance.now(), most: limits.callers.connections },
    audit: audit?.around,
  });
  const witness = audit?.witness;
  const api = { store, clock, observe, around, maxBodyBytes, version, startedAt, files, hosts, memory, witness };
  const applyToken = (file: TokenFile) => (next: string) => {
    tokens.set(file, next);
    observe({ type: 'token-replaced', file });
  };
  const applyConfig = (next: Config) => {
    configured.apply(next);
    proxy?.apply(next.proxy?.routes);
    const needsRestart = !isDeepStrictEqual(fixedParts(next), fixedParts(config));
    observe({ type: 'configured', credentials: countOf(next), needsRestart });
  };

  const listeners: Listener[] = [];
  const add = (listener: string, bound: Listener) => {
    listeners.push(bound);
    observe({ type: 'listening', listener, address: bound.address });
  };
  const following = new AbortController();
  try {
    // Health first: a probe must be answered while material is still loading, and must not find nothing to wait for.
    configured.declare(config);
    add('admin', await listenOnPort(config.admin?.address ?? defaults.adminAddress, admin, limits.admin));
    for (const { name, path, group } of socketsOf(config.listen)) {
      const socket = await listenOnSocket(path, createApi(api, name), {
        group,
        clock,
        observe,
        limits: limits.callers,
      });
      sockets.push(socket);
      add(name, socket);
    }
    if (tcp) {
      const { address, exposed: isExposed = false } = tcp;
      const options = { address, token: () => tokens.get('token'), isExposed, limits: limits.callers };
      add('tcp', await listenOnTcp(options, createApi(api, 'tcp')));
    }
    if (config.proxy !== undefined) {
      const { startProxy } = await import('./sidecar-proxy.ts');
      const token = () => tokens.get('proxy-token');
      proxy = await startProxy(config.proxy, { store, clock, observe, token, audit, limits: limits.proxy });
      for (const [name, bound] of proxy.listeners) add(name, bound);
    }
    if (config.notifications !== undefined) {
      const { startNotifications } = await import('./sidecar-notifications.ts');
      const secret = () => tokens.get('notification-secret') ?? '';
      notifications = await startNotifications(config.notifications, {
        store,
        clock,
        observe,
        secret,
        limits: limits.notifications,
      });
      add('notifications', notifications.listener);
    }
    isListening = true;

    configured.apply(config);
    observe({ type: 'configured', credentials: countOf(config), needsRestart: false });
    const fileOf = (path: string) =>
      filesSource({ paths: [path], pollMilliseconds: milliseconds(defaults.poll), clock, observe });
    const stop = AbortSignal.any([signal, following.signal]);
    const followed = [aborted(signal)];
    if (isFile) {
      const [file, source] = ['configuration' as const, fileOf(place.path)];
      followed.push(
        followFile({ file, source, parse: parseForStart, initial: config, apply: applyConfig, observe }, stop),
      );
    }
    for (const [file, path] of tokenFilesOf(config)) {
      const initial = tokens.get(file) ?? '';
      const source = fileOf(path);
      const parse = (text: string) => parseToken(text, file);
      followed.push(followFile({ file, source, parse, initial, apply: applyToken(file), observe }, stop));
    }
    await Promise.race([Promise.all(followed), aborted(signal)]);

    observe({ type: 'stopping', drainSeconds: options.drainMilliseconds / 1000 });
    await clock.sleep(options.drainMilliseconds, new AbortController().signal);
    const why = reasonOfNoStart(store);
    if (why) throw why;
  } finally {
    following.abort();
    await Promise.all(listeners.map((listener) => listener.close()));
    await proxy?.close();
    notifications?.close();
    await configured.stop();
    keyServices[Symbol.dispose]();
    const written = audit?.audit.close().then(() => output.flush()) ?? output.flush();
    await Promise.race([written, clock.sleep(flushMilliseconds, new AbortController().signal)]);
  }
}

/** Stopped before it could start: kubelet's startup probe has given up. The error is the last word of the container, and so its termination message. */
function reasonOfNoStart(store: Store): PaycertError | undefined {
  const unloaded = store.entries().find(({ isRequired, snapshot }) => isRequired && snapshot === undefined);
  return unloaded && reasonOfNoSnapshot(unloaded);
}

const countOf = ({ credentials, resources }: Config): number => credentials.length + resources.length;

const levelOf = (config: Config): LogLevel => config.log?.level ?? defaults.logLevel;

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Which listeners there will be, since they share the descriptors. */
function listenersOf({ listen, proxy, notifications }: Config): readonly ListenerKind[] {
  const proxied = [proxy?.listen.socket, proxy?.listen.tcp].filter((one) => one !== undefined);
  return [
    'admin',
    ...socketsOf(listen).map(() => 'callers' as const),
    ...(listen.tcp ? (['callers'] as const) : []),
    ...proxied.map(() => 'proxy' as const),
    ...(notifications ? (['notifications'] as const) : []),
  ];
}

/** What only a new process picks up. */
const fixedParts = ({ listen, admin, log, remember, lastGood, keyServices, audit, proxy, notifications }: Config) => {
  const { routes: _, ...fixed } = proxy ?? {};
  return { listen, admin, log, remember, lastGood, keyServices, audit, notifications, proxy: proxy && fixed };
};
