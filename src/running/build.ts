// Configuration becomes the parts that a reload loop needs: the table of sources, and the platform that is named.
import type { Clock } from '../clock.ts';
import type { Observe } from '../events.ts';
import type { KubeClient } from '../kube/client.ts';
import { withCreatedAt } from '../providers/shared/created-at.ts';
import { withIgnored } from '../providers/shared/ignored.ts';
import type { AskResponder } from '../revocation/ask-responder.ts';
import { withOcspResponses } from '../revocation/ocsp-responses.ts';
import { Responders } from '../revocation/responders.ts';
import { withRevocationLists } from '../revocation/lists.ts';
import type { Provider } from '../providers/provider.ts';
import { platformOf } from '../providers/registry.ts';
import { consul } from '../sources/consul.ts';
import { env } from '../sources/env.ts';
import { etcd } from '../sources/etcd.ts';
import { fallback } from '../sources/fallback.ts';
import { files } from '../sources/files.ts';
import { merge } from '../sources/merge.ts';
import { secret } from '../sources/secret.ts';
import { withTiedParts } from '../sources/tied.ts';
import { vault } from '../sources/vault.ts';
import type { Source } from '../sources/source.ts';
import type { MaxAge } from '../store/age.ts';
import type { Credential } from '../store/attempt.ts';
import type { CredentialPolicy } from '../store/store.ts';
import { defaults, milliseconds } from '../config/defaults.ts';
import type { CredentialConfig } from '../config/schema/credential.ts';
import type { SourceConfig } from '../config/schema/source.ts';
import { Origins } from './origins.ts';

export interface BuildDependencies {
  readonly clock: Clock;
  readonly observe: Observe;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How OCSP responders are asked, if not over HTTP from here. */
  readonly askResponder?: AskResponder | undefined;
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

type Options<T, K extends keyof T> = NonNullable<T[K]>;
type Builders<T> = { readonly [K in keyof T]-?: (options: Options<T, K>, dependencies: BuildDependencies) => unknown };

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
  vault: (config, dependencies): Source =>
    vault({
      session: (dependencies.origins ?? new Origins(dependencies)).vault(config),
      mount: config.mount ?? 'secret',
      path: config.path,
      engine: config.engine ?? 2,
      version: config.version,
      ...(config.keys && { keys: config.keys }),
      pollMilliseconds: milliseconds(config.poll ?? defaults.poll),
      clock: dependencies.clock,
      random: Math.random,
    }),
  consul: (config, dependencies): Source =>
    consul({
      consul: (dependencies.origins ?? new Origins(dependencies)).consul(config),
      prefix: config.prefix,
      ...(config.keys && { keys: config.keys }),
      clock: dependencies.clock,
      random: Math.random,
    }),
  etcd: (config, dependencies): Source =>
    etcd({
      etcd: (dependencies.origins ?? new Origins(dependencies)).etcd(config),
      prefix: config.prefix,
      ...(config.keys && { keys: config.keys }),
      clock: dependencies.clock,
      random: Math.random,
    }),
  fallback: (parts, dependencies): Source =>
    fallback({ sources: parts.map((part) => buildSource(part, dependencies)), ...dependencies }),
  merge: (parts, dependencies): Source => merge(parts.map((part) => buildSource(part, dependencies))),
} satisfies Builders<SourceConfig>;

/** The only member of a one-of, and its row. The schema has made sure that there is exactly one. */
function buildSource(config: SourceConfig, dependencies: BuildDependencies): Source {
  const [[kind, options]] = Object.entries(config) as [[string, never]];
  const table: Record<string, (options: never, dependencies: BuildDependencies) => Source> = sources;
  const build = table[kind];
  if (build === undefined) throw new TypeError(`no row for ${kind}`);
  return build(options, dependencies);
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

export function buildCredential(config: CredentialConfig, dependencies: BuildDependencies): Credential {
  const source = withTiedParts(buildSource(config.source, dependencies), {
    tied: platformOf(config.provider).platform.tied ?? [],
    credential: config.name,
    clock: dependencies.clock,
    observe: dependencies.observe,
  });
  return {
    name: config.name,
    provider: buildProvider(config.provider),
    source: withFetches(source, config.provider, dependencies),
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
    suspendedSince: undefined,
  };
}
