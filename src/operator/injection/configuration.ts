// The configuration of an injected sidecar, made of PaymentCredentials: JSON, which is YAML too, as the value of an environment variable.
import {
  type ResourceSecret,
  type ResourceSpec,
  type SecretSets,
  toCredential,
  withSets,
} from '../../config/resource.ts';
import type { KeyServicesConfig } from '../../config/schema/key-services.ts';
import type { SetConfig, SourceConfig } from '../../config/schema/source.ts';
import { parseConfig } from '../../config/load.ts';

export const socketPath = '/run/paycert/paycert.sock';
const directories = {
  current: '/etc/paycert/keys',
  next: '/etc/paycert/next-keys',
  platform: '/etc/paycert/platform-certificates',
} as const;

/** What of a credential is mounted: either of its sets of keys, and what the operator downloads for it. */
export type Mounted = keyof SecretSets | 'platform';

/** Where key services find what they log in with, and whom they trust. */
export const keyServiceMounts = {
  token: '/var/run/secrets/paycert.dev/key-services',
  files: '/etc/paycert/key-services',
} as const;

export const lastGoodDirectory = '/run/paycert-last-good';

/** Where the annotation of the Pod is that says when staged keys sign. */
export const activationsMount = { directory: '/etc/paycert/pod', file: 'activations' } as const;

/** Where a Secret of a credential is mounted. Its name has no slash. */
export const mountOf = (credential: string, set: Mounted): string => `${directories[set]}/${credential}`;

export interface Injected {
  readonly name: string;
  readonly spec: ResourceSpec;
}

export interface ConfigurationOptions {
  readonly usesApi: boolean;
  readonly logLevel: string | undefined;
  readonly adminPort: number;
  readonly keyServices: KeyServicesConfig | undefined;
}

/**
 * The first is what the Pod cannot do without: one bad Secret of several keeps no new Pod from starting.
 * @throws PaycertError `config-invalid` for what a sidecar would not take
 */
export function configurationOf(
  injected: readonly Injected[],
  { usesApi, logLevel, adminPort, keyServices }: ConfigurationOptions,
): string {
  const credentials = injected.map(({ name, spec }, index) => {
    const { platformCertificates } = spec;
    const beside = platformCertificates ? [mountOf(name, 'platform')] : [];
    const source = withActivationFile(
      withSets(spec.source, (secret, set) => sourceOf(secret, [mountOf(name, set), ...beside], usesApi)),
    );
    const downloaded = usesApi && platformCertificates && { secret: platformCertificates.secret };
    return {
      ...toCredential(name, spec),
      ...{ source, required: index === 0 },
      ...(downloaded && { platformCertificates: downloaded }),
    };
  });
  const configuration = {
    listen: { socket: socketPath },
    // A directory of its own: that of the volume belongs to root.
    lastGood: { directory: `${lastGoodDirectory}/keys` },
    admin: { address: `:${String(adminPort)}` },
    ...(keyServices && { keyServices }),
    ...(logLevel !== undefined && { log: { level: logLevel } }),
    credentials,
  };
  // kubelet puts the value of a variable in the place of `$(NAME)`.
  const text = JSON.stringify(configuration).replaceAll('$', String.raw`\u0024`);
  parseConfig(text);
  return text;
}

function sourceOf(secret: ResourceSecret, paths: readonly string[], usesApi: boolean): SetConfig {
  const { keys } = secret;
  const [first = '', ...others] = paths;
  const path = others.length === 0 ? first : [...paths];
  const mount = { files: { path, ...(keys && { keys }) } };
  return usesApi ? { fallback: [{ secret }, mount] } : mount;
}

const withActivationFile = ({ staged, ...source }: SourceConfig): SourceConfig => {
  if (staged === undefined) return source;
  const { directory, file } = activationsMount;
  return { staged: { ...staged, activationFile: `${directory}/${file}` } };
};
