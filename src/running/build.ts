// Configuration becomes the parts that a reload loop needs: the table of sources, and the platform that is named.
import type { Clock } from '../clock.ts';
import type { Observe } from '../events.ts';
import { askPlatform } from '../gateway/live-check.ts';
import type { Destination, OwnCalls } from '../gateway/own-calls.ts';
import type { PlatformCertificates } from '../gateway/platform-certificates.ts';
import type { WayOut } from '../gateway/way-out.ts';
import type { KubeClient } from '../kube/client.ts';
import { withCreatedAt } from '../providers/shared/created-at.ts';
import { withIgnored } from '../providers/shared/ignored.ts';
import { withRenamed } from '../providers/shared/renamed.ts';
import type { AskResponder } from '../revocation/ask-responder.ts';
import { withOcspResponses } from '../revocation/ocsp-responses.ts';
import { Responders } from '../revocation/responders.ts';
import { withRevocationLists } from '../revocation/lists.ts';
import { Pki } from '../keys/pki.ts';
import type { Platform } from '../providers/platform.ts';
import type { Provider } from '../providers/provider.ts';
import { platformOf } from '../providers/registry.ts';
import { consul } from '../sources/consul.ts';
import { env } from '../sources/env.ts';
import { etcd } from '../sources/etcd.ts';
import { fallback } from '../sources/fallback.ts';
import { files } from '../sources/files.ts';
import type { LastGoodDirectory } from '../sources/last-good.ts';
import { issued } from '../sources/issued.ts';
import { merge } from '../sources/merge.ts';
import { secret } from '../sources/secret.ts';
import { staged } from '../sources/staged.ts';
import { withTiedParts } from '../sources/tied.ts';
import { unwrap } from '../sources/unwrap.ts';
import { vault } from '../sources/vault.ts';
import type { Source } from '../sources/source.ts';
import type { MaxAge } from '../store/age.ts';
import type { Credential } from '../store/attempt.ts';
import { BesideCheck } from '../store/beside-check.ts';
import { LiveCheck } from '../store/live-check.ts';
import type { CredentialPolicy } from '../store/store.ts';
import type { Trace } from '../trace.ts';
import { defaults, milliseconds } from '../config/defaults.ts';
import type { CredentialConfig } from '../config/schema/credential.ts';
import type { SourceConfig } from '../config/schema/source.ts';
import { keysOf } from '../config/source-parts.ts';
import { noKeyServices, type RunningKeyServices } from './key-services.ts';
import { lastGoodOf } from './last-good.ts';
import { Origins } from './origins.ts';
import { buildSchedule } from './schedule.ts';

export interface BuildDependencies {
  readonly clock: Clock;
  readonly observe: Observe;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How OCSP responders are asked, if not over HTTP from here. */
  readonly askResponder?: AskResponder | undefined;
  /** Where accepted material is kept through a restart; absent where it is not. */
  readonly lastGood?: LastGoodDirectory | undefined;
  /** Makes the calls of a platform that nobody asked for. Absent: none is made. */
  readonly calls?: OwnCalls | undefined;
  /** Downloads the certificates that platforms sign with. Absent: nothing is downloaded. */
  readonly certificates?: PlatformCertificates | undefined;
  /** Begins the trace of a call that nobody asked for; undefined where nothing is traced. */
  readonly traceOf?: (() => Trace | undefined) | undefined;
  /** The proxy on the way out of calls that nobody asked for; absent where there is none. */
  readonly wayOut?: WayOut | undefined;
  /** Asked for the keys that material refers to; absent where there are none. */
  readonly keyServices?: Pick<RunningKeyServices, 'resolve' | 'opener'> | undefined;
  /** Shared by all that are built with it; otherwise each source has sessions of its own. */
  readonly origins?: Origins;
}

/** The client, loaded when it is first asked for: who reads only files never pays for it. */
export function cluster({
  environment,
  clock,
  observe,
}: Pick<BuildDependencies, 'environment' | 'clock' | 'observe'>): () => Promise<KubeClient> {
  let client: Promise<KubeClient> | undefined;
  const load = async () => {
    const [{ connect }, { ServerClock }] = await Promise.all([
      import('../kube/client.ts'),
      import('../kube/server-clock.ts'),
    ]);
    return connect(environment, { serverClock: new ServerClock(clock, observe) });
  };
  return () => (client ??= load());
}

type Building = BuildDependencies & {
  readonly origins: Origins;
  readonly keys: Pick<RunningKeyServices, 'resolve' | 'opener'>;
  readonly credential: string;
  /** Parts that change together. */
  readonly tied: NonNullable<Platform['tied']>;
};
type Options<T, K extends keyof T> = NonNullable<T[K]>;
type Builders<T> = { readonly [K in keyof T]-?: (options: Options<T, K>, building: Building) => unknown };

const sources = {
  files: ({ path, keys, poll = defaults.poll }, { clock, observe }): Source =>
    files({
      paths: typeof path === 'string' ? [path] : path,
      ...(keys && { keys }),
      pollMilliseconds: milliseconds(poll),
      clock,
      observe,
    }),
  env: ({ keys }, { clock, environment }): Source => env({ keys, environment, clock }),
  secret: ({ name, namespace, keys }, { clock, observe, environment }): Source =>
    secret({
      secret: name,
      ...(namespace !== undefined && { namespace }),
      ...(keys && { keys }),
      client: cluster({ environment, clock, observe }),
      clock,
      random: Math.random,
      observe,
    }),
  vault: ({ keys, ...config }, { origins, clock }): Source =>
    vault({
      session: origins.vault(config),
      mount: config.mount ?? defaults.vaultMount,
      path: config.path,
      engine: config.engine ?? defaults.vaultEngine,
      version: config.version,
      ...(keys && { keys }),
      pollMilliseconds: milliseconds(config.poll ?? defaults.poll),
      clock,
      random: Math.random,
    }),
  consul: ({ keys, ...config }, { origins, clock }): Source =>
    consul({
      consul: origins.consul(config),
      prefix: config.prefix,
      ...(keys && { keys }),
      clock,
      random: Math.random,
    }),
  etcd: ({ keys, ...config }, { origins, clock }): Source =>
    etcd({ etcd: origins.etcd(config), prefix: config.prefix, ...(keys && { keys }), clock, random: Math.random }),
  pki: (config, { origins, clock }): Source => {
    const session = origins.vault(config);
    const { mount = defaults.pkiMount, role, commonName, altNames = [], ttl, keyType = defaults.pkiKeyType } = config;
    const ttlSeconds = ttl === undefined ? undefined : Math.ceil(milliseconds(ttl) / 1000);
    const trustsIssuer = config.trustIssuer ?? false;
    return issued({
      issuer: new Pki({ session, mount, role, commonName, altNames, ttlSeconds, keyType, trustsIssuer }),
      keep: () => session.keep(),
      pollMilliseconds: milliseconds(config.poll ?? defaults.revocationPoll),
      clock,
      random: Math.random,
    });
  },
  // Wrapped parts change as what is in them does, so a half-written pair is waited for before anything is opened.
  unwrap: ({ source, with: key, context = {}, allowPlain = false }, building): Source =>
    unwrap({
      source: buildSource(source, building),
      opener: () => building.keys.opener(key, context),
      allowPlain,
    }),
  fallback: (parts, building): Source =>
    fallback({ sources: parts.map((part) => buildSource(part, building)), ...building }),
  // A pair may have a part in each of them: only all of it is whole.
  merge: (parts, building): Source => merge(parts.map((part) => buildSource(part, { ...building, tied: [] }))),
  staged: ({ current, next, canary = {}, ...scheduled }, building): Source =>
    staged({
      current: buildSource(current, building),
      next: buildSource(next, building),
      schedule: buildSchedule(scheduled, building),
      canary: {
        failurePercent: canary.failurePercent ?? defaults.canaryFailurePercent,
        minimumCalls: canary.minimumCalls ?? defaults.canaryMinimumCalls,
      },
      pod: podOf(building.environment),
      clock: building.clock,
    }),
} satisfies Builders<SourceConfig>;

/** Without the pod’s uid, its name; of a program that has neither, all share one fate. */
const podOf = (environment: BuildDependencies['environment']): string =>
  environment['PAYCERT_POD_UID'] ?? environment['HOSTNAME'] ?? '';

/** Those that give a set as another source gave it: that one is whole or half by itself, and what one of several holds is no half of another. */
const choices: ReadonlySet<string> = new Set<keyof typeof sources>(['fallback', 'staged', 'unwrap', 'pki']);

/** The only member of a one-of, and its row. The schema has made sure that there is exactly one. */
function buildSource(config: SourceConfig, building: Building): Source {
  const [[kind, options]] = Object.entries(config) as [[string, never]];
  const table: Record<string, (options: never, building: Building) => Source> = sources;
  const build = table[kind];
  if (build === undefined) throw new TypeError(`no row for ${kind}`);
  const source = build(options, building);
  return choices.has(kind) ? source : withTiedParts(source, building);
}

export function buildProvider(config: CredentialConfig['provider']): Provider {
  const { platform, options } = platformOf(config);
  return withIgnored(withCreatedAt(platform.create(options)));
}

export const buildMaxAge = ({ maxAge }: Pick<CredentialConfig, 'maxAge'>): MaxAge => ({
  milliseconds: milliseconds(maxAge ?? defaults.maxAge),
  isGiven: maxAge !== undefined,
});

/** With what its platform has fetched alongside, where it is configured. */
function withFetches(
  source: Source,
  provider: CredentialConfig['provider'],
  { clock, askResponder }: BuildDependencies,
): Source {
  const { platform, options } = platformOf(provider);
  const fetches = platform.fetches?.(options);
  if (fetches === undefined) return source;
  const listed = withRevocationLists(source, fetches, clock);
  return fetches.queriesResponders
    ? withOcspResponses(listed, fetches, new Responders(clock, askResponder), clock)
    : listed;
}

/** The platform's origin and its spare, or what is called in place of them. */
export function destinationsOf({
  provider,
  gateway = {},
}: Pick<CredentialConfig, 'provider' | 'gateway'>): readonly Destination[] {
  const { platform, options } = platformOf(provider);
  const { origin = platform.origins(options)[0] ?? '', double } = gateway;
  if (double !== undefined) return [{ origin, address: double }];
  const spare = platform.forwards?.(options).spares?.[origin];
  return [origin, ...(spare === undefined ? [] : [spare])].map((one) => ({ origin: one, address: one }));
}

interface Listing extends Pick<Credential, 'provider' | 'resolve'> {
  readonly config: CredentialConfig;
}

/** With the certificates that its platform lists or hands out, where it is configured. */
function withCertificates(source: Source, { config, provider, resolve }: Listing, building: Building): Source {
  const { name: credential, platformCertificates } = config;
  const { certificates } = building;
  const { platform, options } = platformOf(config.provider);
  const { certificateList: list } = platform;
  if (platformCertificates === undefined || certificates === undefined) return source;
  const destinations = destinationsOf(config);
  const bySerial = platform.certificateBySerial?.(options);
  if (bySerial !== undefined)
    return certificates.addAsked(source, { credential, provider, bySerial, destinations, resolve });
  if (list === undefined) return source;
  const { every = defaults.every, secret: name, namespace } = typeof platformCertificates === 'object' ? platformCertificates : {}; // prettier-ignore
  if (name !== undefined) {
    const from = sources.secret({ name, ...(namespace !== undefined && { namespace }) }, building);
    return certificates.addDistributed(source, { credential, provider, list, resolve, from });
  }
  const everyMilliseconds = milliseconds(every);
  return certificates.add(source, { credential, provider, list, destinations, resolve, everyMilliseconds });
}

/** Asks its platform about a new key, where it is configured; of one that signs next, and of one that waits. */
function liveChecksOf(
  config: CredentialConfig,
  { calls, clock }: BuildDependencies,
): Pick<Credential, 'liveCheck' | 'besideCheck'> {
  const { name: credential, check: asked } = config;
  const { liveCheck: check } = platformOf(config.provider).platform;
  if (asked === undefined || check === undefined || calls === undefined) return {};
  const { within = defaults.within, otherwise = defaults.otherwise } = typeof asked === 'object' ? asked : {};
  const ask = askPlatform({ credential, check, destinations: destinationsOf(config), calls, clock });
  const options = { ask, withinMilliseconds: milliseconds(within), otherwise };
  return { liveCheck: new LiveCheck(options), besideCheck: new BesideCheck(options) };
}

export function buildCredential(config: CredentialConfig, dependencies: BuildDependencies): Credential {
  const { origins = new Origins(dependencies), lastGood, keyServices: keys = noKeyServices } = dependencies;
  const provider = withRenamed(buildProvider(config.provider), keysOf(config.source));
  const owner = { credential: config.name, identity: provider.identity };
  const { tied = [] } = platformOf(config.provider).platform;
  const building = { ...dependencies, origins, keys, credential: config.name, tied };
  const source = buildSource(config.source, building);
  const resolve: Credential['resolve'] = (data, signal) => keys.resolve(data, signal);
  const withAll = (one: Source) =>
    withCertificates(withFetches(one, config.provider, dependencies), { config, provider, resolve }, building);
  return {
    name: config.name,
    provider,
    source: withAll(source),
    resolve,
    lastGood:
      lastGood &&
      lastGoodOf(lastGood, owner, (read) => (signal) => {
        return withAll({ ...source, read }).read(signal);
      }),
    ...liveChecksOf(config, dependencies),
    older: config.older ?? defaults.older,
    graceMilliseconds: milliseconds(config.grace ?? defaults.grace),
  };
}

export function buildPolicy(config: CredentialConfig): CredentialPolicy {
  const { platform, options } = platformOf(config.provider);
  return {
    provider: Object.keys(config.provider).join(),
    isRequired: config.required ?? false,
    requires: config.require ?? defaults.require,
    maxAge: buildMaxAge(config),
    origins: platform.origins(options),
    forwarding: platform.forwards?.(options),
    notifying: platform.notifies?.(options),
    querying: platform.queries?.(options),
    suspendedSince: undefined,
  };
}
