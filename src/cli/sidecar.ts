// paycert sidecar: the composition root of the real thing.
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../clock.ts';
import { Configured } from '../config/configured.ts';
import { parseConfig } from '../config/load.ts';
import { type Config, defaults, milliseconds } from '../config/schema.ts';
import { poolTurns } from '../crypto/turns.ts';
import { PaycertError } from '../errors.ts';
import { type Event, isolate, type Observe } from '../events.ts';
import { createAdmin } from '../server/admin.ts';
import { createApi } from '../server/http.ts';
import { type Listener, listenOnPort, listenOnSocket, listenOnTcp } from '../server/listeners.ts';
import { files } from '../sources/files.ts';
import type { Source } from '../sources/source.ts';
import { Store } from '../store/store.ts';
import { createLog, type LogLevel } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';

export interface SidecarOptions {
  readonly configPath: string;
  /** How long to go on serving after the signal to stop, so that callers and endpoints can follow. */
  readonly drainMilliseconds: number;
  readonly version: string;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told of everything too; the demo watches through it. */
  readonly observe?: Observe;
  /** Where lines go instead of standard output. */
  readonly isSilent?: boolean;
}

/** Serves until aborted, then drains and ends. Throws what makes a start impossible. */
export async function runSidecar(options: SidecarOptions, signal: AbortSignal): Promise<void> {
  const { configPath, clock, version, environment } = options;
  const config = await readConfig(configPath);
  const store = new Store();
  const metrics = createMetrics({ store, clock, version });
  const log: Observe = options.isSilent === true ? () => undefined : createLog(levelOf(config));
  const observers = [metrics.observe, log, options.observe ?? (() => undefined)].map(isolate);
  const observe = (event: Event) => observers.forEach((tell) => tell(event));
  const turns = poolTurns(environment);
  const configured = new Configured({ store, clock, turns, observe }, { clock, observe, environment });

  let isListening = false;
  const admin = createAdmin({ store, clock, metrics, isListening: () => isListening, observe });
  const { maxBodyBytes = defaults.maxBodyBytes } = config.listen;
  const api = createApi({ store, clock, observe, maxBodyBytes, version, startedAt: clock.now() });

  const listeners: Listener[] = [];
  const add = (listener: string, bound: Listener) => {
    listeners.push(bound);
    observe({ type: 'listening', listener, address: bound.address });
  };
  const following = new AbortController();
  try {
    // Health first: a probe must be answered while material is still loading, and must not find nothing to wait for.
    configured.declare(config);
    add('admin', await listenOnPort(config.admin?.address ?? defaults.adminAddress, admin));
    if (config.listen.socket !== undefined) add('socket', await listenOnSocket(config.listen.socket, api));
    if (config.listen.tcp) add('tcp', await listenOnTcp(await tcpOptions(config.listen.tcp), api));
    isListening = true;

    await configured.apply(config);
    observe({ type: 'configured', credentials: countOf(config), needsRestart: false });
    const source = files({ paths: [configPath], pollMilliseconds: milliseconds(defaults.poll), clock, observe });
    const follow = followConfig(
      source,
      config,
      (next) => configured.apply(next),
      observe,
      AbortSignal.any([signal, following.signal]),
    );
    await Promise.race([follow, aborted(signal)]);

    observe({ type: 'stopping', drainSeconds: options.drainMilliseconds / 1000 });
    await clock.sleep(options.drainMilliseconds, new AbortController().signal);
  } finally {
    following.abort();
    await Promise.all(listeners.map((listener) => listener.close()));
    await configured.stop();
  }
}

const countOf = ({ credentials, resources }: Config): number => credentials.length + resources.length;

const levelOf = (config: Config): LogLevel => config.log?.level ?? defaults.logLevel;

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

export async function readConfig(path: string): Promise<Config> {
  try {
    return parseConfig(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof PaycertError) throw error;
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new PaycertError('config-unreadable', `${path} cannot be read (${code})`, { field: '--config' });
  }
}

async function tcpOptions({ address, tokenFile, exposed = false }: NonNullable<Config['listen']['tcp']>) {
  return { address, token: tokenFile === undefined ? undefined : await readToken(tokenFile), isExposed: exposed };
}

export async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) throw new PaycertError('token-unusable', `${path} cannot be read`, { field: 'tokenFile' });
  const token = text.trim();
  if (!/^[!-~]{16,1024}$/.test(token))
    throw new PaycertError('token-unusable', `${path} holds no usable token`, { field: 'tokenFile' });
  return token;
}

/** The file reloads like material: valid whole, or the last good one stays. */
async function followConfig(
  source: Source,
  initial: Config,
  apply: (config: Config) => Promise<void>,
  observe: Observe,
  signal: AbortSignal,
): Promise<void> {
  let current = initial;
  let seen: string | undefined;
  /** What was refused last time is news when it is repaired, even by putting the current content back. */
  let isRefused = false;
  /** The same content, or the same failure, is news once. */
  const isNews = (what: string): boolean => {
    const isNew = what !== seen;
    seen = what;
    return isNew;
  };
  for await (const _ of source.changes(signal)) {
    try {
      const { revision, data } = await source.read(signal);
      if (!isNews(revision)) continue;
      const [bytes] = data.values();
      const next = parseConfig(Buffer.from(bytes ?? []).toString());
      if (isDeepStrictEqual(next, current) && !isRefused) continue;
      isRefused = false;
      await apply(next);
      current = next;
      const needsRestart = !isDeepStrictEqual(fixedParts(next), fixedParts(initial));
      observe({ type: 'configured', credentials: countOf(next), needsRestart });
    } catch (error) {
      isRefused = true;
      if (!(error instanceof PaycertError)) observe({ type: 'internal-error', where: 'config', error });
      else if (error.kind !== 'source' || isNews(error.code)) observe({ type: 'config-rejected', error });
    }
  }
}

/** What only a new process picks up. */
const fixedParts = ({ listen, admin, log }: Config) => ({ listen, admin, log });
