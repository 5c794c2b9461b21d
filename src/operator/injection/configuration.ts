// The configuration of an injected sidecar, made of PaymentCredentials: JSON, which is YAML too, as the value of an environment variable.
import { type ResourceSpec, toCredential } from '../../config/resource.ts';
import { parseConfig } from '../../config/load.ts';

export const socketPath = '/run/paycert/paycert.sock';
const keysDirectory = '/etc/paycert/keys';
export const lastGoodDirectory = '/run/paycert-last-good';

/** Where the Secret of a credential is mounted. Its name has no slash. */
export const mountOf = (credential: string): string => `${keysDirectory}/${credential}`;

export interface Injected {
  readonly name: string;
  readonly spec: ResourceSpec;
}

export interface ConfigurationOptions {
  readonly usesApi: boolean;
  readonly logLevel: string | undefined;
  readonly adminPort: number;
}

/**
 * The first is what the Pod cannot do without: one bad Secret of several keeps no new Pod from starting.
 * @throws PaycertError `config-invalid` for what a sidecar would not take
 */
export function configurationOf(
  injected: readonly Injected[],
  { usesApi, logLevel, adminPort }: ConfigurationOptions,
): string {
  const credentials = injected.map(({ name, spec }, index) => {
    const { keys, ...secret } = spec.source.secret;
    const named = keys === undefined ? {} : { keys };
    const mount = { files: { path: mountOf(name), ...named } };
    const api = { secret: { ...secret, ...named } };
    const source = usesApi ? { fallback: [api, mount] } : mount;
    return { ...toCredential(name, spec), source, required: index === 0 };
  });
  const configuration = {
    listen: { socket: socketPath },
    // A directory of its own: that of the volume belongs to root.
    lastGood: { directory: `${lastGoodDirectory}/keys` },
    admin: { address: `:${String(adminPort)}` },
    ...(logLevel !== undefined && { log: { level: logLevel } }),
    credentials,
  };
  // kubelet puts the value of a variable in the place of `$(NAME)`.
  const text = JSON.stringify(configuration).replaceAll('$', String.raw`\u0024`);
  parseConfig(text);
  return text;
}
