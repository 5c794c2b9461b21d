// The tables: source kind → Source, provider kind → Provider. Configuration becomes the parts that a reload loop needs.
import type { Clock } from '../clock.ts';
import type { Observe } from '../events.ts';
import { alipay } from '../providers/alipay/provider.ts';
import type { KubeClient } from '../kube/client.ts';
import { withCreatedAt } from '../providers/shared/created-at.ts';
import { aliyun } from '../providers/aliyun/provider.ts';
import { hmac } from '../providers/hmac/provider.ts';
import { pss } from '../providers/pss/provider.ts';
import type { AskResponder } from '../revocation/ask-responder.ts';
import { withOcspResponses } from '../revocation/ocsp-responses.ts';
import { Responders } from '../revocation/responders.ts';
import { withRevocationLists } from '../revocation/lists.ts';
import { mtls } from '../providers/mtls/provider.ts';
import type { Provider } from '../providers/provider.ts';
import { wechatpay } from '../providers/wechatpay/provider.ts';
import { wechatpayV2 } from '../providers/wechatpay-v2/provider.ts';
import { env } from '../sources/env.ts';
import { fallback } from '../sources/fallback.ts';
import { files } from '../sources/files.ts';
import { merge } from '../sources/merge.ts';
import { secret } from '../sources/secret.ts';
import type { Source } from '../sources/source.ts';
import type { MaxAge } from '../store/age.ts';
import type { Credential } from '../store/attempt.ts';
import type { CredentialPolicy } from '../store/store.ts';
import { defaults, milliseconds } from '../config/defaults.ts';
import type { CredentialConfig } from '../config/schema/credential.ts';
import type { SourceConfig } from '../config/schema/source.ts';

export interface BuildDependencies {
  readonly clock: Clock;
  readonly observe: Observe;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How OCSP responders are asked, if not over HTTP from here. */
  readonly askResponder?: AskResponder | undefined;
}

/** The client, loaded when it is first asked for: who reads only files never pays for it. */
export function cluster(environment: BuildDependencies['environment']): () => Promise<KubeClient> {
  let client: Promise<KubeClient> | undefined;
  return () => (client ??= import('../kube/client.ts').then(({ connect }) => connect(environment)));
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
      client: cluster(environment),
      clock,
      random: Math.random,
      observe,
    }),
  fallback: (parts, dependencies): Source =>
    fallback({ sources: parts.map((part) => buildSource(part, dependencies)), ...dependencies }),
  merge: (parts, dependencies): Source => merge(parts.map((part) => buildSource(part, dependencies))),
} satisfies Builders<SourceConfig>;

const providers = {
  wechatpay: ({ merchantId, responseKey, legacyFieldPadding = defaults.legacyFieldPadding }): Provider =>
    wechatpay({ merchantId, legacyFieldPadding, ...(responseKey !== undefined && { responseKey }) }),
  wechatpayV2: ({ merchantId, appId }): Provider => wechatpayV2({ merchantId, ...(appId !== undefined && { appId }) }),
  alipay: ({ appId, mode, gateway = defaults.gateway }): Provider => alipay({ appId, mode, gateway }),
  aliyun: (): Provider => aliyun(),
  hmac: ({ slash = defaults.slash, maxNonces = defaults.maxNonces, ...options }): Provider =>
    hmac({ ...options, slash, maxNonces }),
  pss: ({ appId, maxNonces = defaults.maxNonces }): Provider => pss({ appId, maxNonces }),
  mtls: ({ serverNames = {}, minVersion = defaults.minVersion, revocation }): Provider =>
    mtls({
      serverNames,
      minVersion,
      ...(revocation && {
        revocation: {
          whenUnknown: revocation.whenUnknown ?? defaults.whenUnknown,
          ocsp: revocation.ocsp ?? defaults.ocsp,
        },
      }),
    }),
} satisfies Builders<CredentialConfig['provider']>;

/** The only member of a one-of, and its row. The schema has made sure that there is exactly one. */
function pick<R>(
  table: Record<string, (options: never, dependencies: BuildDependencies) => R>,
  oneOf: object,
  dependencies: BuildDependencies,
): R {
  const [[kind, options]] = Object.entries(oneOf) as [[string, never]];
  const build = table[kind];
  if (build === undefined) throw new TypeError(`no row for ${kind}`);
  return build(options, dependencies);
}

function buildSource(config: SourceConfig, dependencies: BuildDependencies): Source {
  return pick<Source>(sources, config, dependencies);
}

export function buildProvider(config: CredentialConfig['provider'], dependencies: BuildDependencies): Provider {
  return withCreatedAt(pick<Provider>(providers, config, dependencies));
}

export const buildMaxAge = ({ maxAge }: Pick<CredentialConfig, 'maxAge'>): MaxAge => ({
  milliseconds: milliseconds(maxAge ?? defaults.maxAge),
  isGiven: maxAge !== undefined,
});

/** With what its issuers say of it, where that is asked for. */
function withRevocation(
  source: Source,
  { mtls }: CredentialConfig['provider'],
  dependencies: BuildDependencies,
): Source {
  const { revocation, serverNames = {} } = mtls ?? {};
  if (revocation === undefined) return source;
  const { clock, askResponder } = dependencies;
  const { urls = [], ocsp = defaults.ocsp } = revocation;
  const named = new Set(Object.values(serverNames));
  const listed = withRevocationLists(source, urls, named, clock);
  if (ocsp === 'ignore') return listed;
  return withOcspResponses(listed, named, new Responders(clock, askResponder), clock);
}

export function buildCredential(config: CredentialConfig, dependencies: BuildDependencies): Credential {
  return {
    name: config.name,
    provider: buildProvider(config.provider, dependencies),
    source: withRevocation(buildSource(config.source, dependencies), config.provider, dependencies),
    older: config.older ?? defaults.older,
    graceMilliseconds: milliseconds(config.grace ?? defaults.grace),
  };
}

export function buildPolicy(config: CredentialConfig): CredentialPolicy {
  return {
    provider: Object.keys(config.provider).join(),
    isRequired: config.required ?? false,
    requires: config.require ?? defaults.require,
    maxAge: buildMaxAge(config),
    isSuspended: false,
  };
}
