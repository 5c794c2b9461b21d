// What no schema can say of a configuration: names that must differ, addresses, and members that must fit each other.
import { normalize } from 'node:path';
import { isLoopback, splitAddress } from '../address.ts';
import { type ErrorCode, PaycertError } from '../errors.ts';
import { platformOf } from '../providers/registry.ts';
import type { Config } from './schema/config.ts';
import type { CredentialConfig } from './schema/credential.ts';
import type { SourceConfig } from './schema/source.ts';
import { type NamedSocket, socketsOf } from './sockets.ts';

export function assertListener({ listen, admin, proxy }: Config): void {
  assertPlaces('listen', listen);
  assertPort('admin.address', admin?.address);
  const sockets = socketsOf(listen);
  assertDistinct(sockets);
  if (proxy === undefined) return;
  assertPlaces('proxy.listen', proxy.listen);
  const { socket } = proxy.listen;
  if (socket !== undefined && sockets.some(({ path }) => normalize(path) === normalize(socket))) {
    throw new PaycertError('config-invalid', 'proxy.listen.socket is a socket of listen as well', {
      field: 'proxy.listen.socket',
    });
  }
}

function assertPlaces(
  field: string,
  { socket, sockets, tcp }: Pick<Config['listen'], 'socket' | 'sockets' | 'tcp'>,
): void {
  assertPort(`${field}.tcp.address`, tcp?.address);
  if ((socket ?? sockets ?? tcp) === undefined) {
    throw new PaycertError('config-invalid', `${field} needs socket, tcp or both`, { field });
  }
  if (tcp && tcp.exposed !== true && !isLoopback(splitAddress(tcp.address).host)) {
    throw new PaycertError('listener-exposed', `${field}.tcp.address is not a loopback address`, {
      field: `${field}.tcp.address`,
    });
  }
  if (tcp && tcp.tokenFile === undefined && tcp.insecure !== true) {
    throw new PaycertError('config-invalid', `${field}.tcp.tokenFile is missing; without it, say insecure: true`, {
      field: `${field}.tcp.tokenFile`,
    });
  }
}

/** What a route says of a credential that is described here must fit it; of one that comes from a resource, the call says. */
export function assertProxyRoutes({ proxy, credentials, resources }: Config): void {
  const names = new Set([...credentials.map(({ name }) => name), ...resources.map(({ name, resource }) => name ?? resource)]); // prettier-ignore
  const seen = new Set<string>();
  proxy?.routes?.forEach(({ credential, origin, double, spareDouble }, index) => {
    const field = `proxy.routes[${index}]`;
    const invalid = (member: string, message: string) =>
      new PaycertError('config-invalid', `${field}.${member} ${message}`, { field: `${field}.${member}` });
    if (seen.has(credential)) throw invalid('credential', 'is named by an earlier route');
    seen.add(credential);
    if (!names.has(credential)) throw invalid('credential', 'is no credential of this file');
    const described = credentials.find(({ name }) => name === credential);
    if (spareDouble !== undefined && double === undefined) throw invalid('spareDouble', 'stands beside a double, and there is none'); // prettier-ignore
    if (described === undefined) return;
    const { platform, options } = platformOf(described.provider);
    const own = platform.origins(options);
    const isFamily = own.some((one) => one.includes('*'));
    if (isFamily && double === undefined)
      throw invalid(
        'credential',
        'has a platform of many hosts: name those that are called in its provider’s `endpoints`',
      );
    if (origin !== undefined && !own.includes(origin))
      throw invalid('origin', `is none of the platform’s: ${own.join(', ')}`);
  });
}

/** Names of listeners that are not sockets of a list, and of callers that come through none. */
const reservedNames: ReadonlySet<string> = new Set(['socket', 'tcp', 'admin', 'library', 'proxy-socket', 'proxy-tcp']);

/** Two sockets of one name could not be told apart, and one path is one socket. */
function assertDistinct(sockets: readonly NamedSocket[]): void {
  sockets.forEach(({ name, path, field }, index) => {
    const [named, placed] = [`${field}.name`, field === 'listen.socket' ? field : `${field}.path`];
    const earlier = sockets.slice(0, index);
    if (field !== 'listen.socket' && reservedNames.has(name))
      throw new PaycertError('config-invalid', `${named} is the name of another listener: choose one of your own`, { field: named }); // prettier-ignore
    if (earlier.some((other) => other.name === name))
      throw new PaycertError('config-invalid', `${named} is the name of an earlier socket`, { field: named });
    if (earlier.some((other) => normalize(other.path) === normalize(path)))
      throw new PaycertError('config-invalid', `${placed} is the path of an earlier socket`, { field: placed });
  });
}

/** Tokens and keys go to servers over TLS, unless somebody says that they need not. */
export function assertPrivate({ source }: CredentialConfig, index: number): void {
  const { merge = [], fallback = [] } = source;
  const all: (readonly [string, Pick<SourceConfig, 'vault' | 'consul' | 'etcd'>])[] = [
    ['source', source],
    ...merge.map((one, at) => [`source.merge[${String(at)}]`, one] as const),
    ...fallback.map((one, at) => [`source.fallback[${String(at)}]`, one] as const),
  ];
  for (const [path, { vault, consul, etcd }] of all) {
    const found = Object.entries({ vault, consul, etcd }).find(([, one]) => one !== undefined);
    const [kind, server] = found ?? [];
    if (kind === undefined || server === undefined) continue;
    const field = `credentials[${String(index)}].${path}.${kind}.address`;
    for (const address of [server.address].flat()) {
      const url = URL.parse(address);
      if (url === null) throw new PaycertError('config-invalid', `${field} is not an address`, { field });
      const isExposed = url.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
      if (!isExposed || server.insecure === true) continue;
      const remedy = 'use https://, or say insecure: true';
      throw new PaycertError('config-invalid', `${field} is http:// on another host; ${remedy}`, { field });
    }
  }
}

/** The account is one of that platform, as far as its form says. */
export const assertAccount = ({ provider }: CredentialConfig, index: number): void =>
  assertAccountOf(provider, `credentials[${String(index)}]`, 'config-invalid');

/** The same, of what is described elsewhere. */
export function assertAccountOf(provider: CredentialConfig['provider'], at: string, code: ErrorCode): void {
  const { platform, options } = platformOf(provider);
  const problem = platform.accountProblem?.(options);
  if (problem === undefined) return;
  const field = `${at}.provider.${platform.id}.${problem.option}`;
  throw new PaycertError(code, `${field} ${problem.what}`, { field });
}

function assertPort(field: string, address = ''): void {
  if (splitAddress(address).port > 65_535) {
    throw new PaycertError('config-invalid', `${field} has a port above 65535`, { field });
  }
}

export function assertUniqueNames(names: readonly (string | undefined)[]): void {
  const seen = new Set<string | undefined>();
  names.forEach((name, index) => {
    const field = `credentials[${index}].name`;
    if (seen.has(name))
      throw new PaycertError('config-invalid', `${field} is the name of an earlier credential`, { field });
    seen.add(name);
  });
}
