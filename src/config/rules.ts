// What no schema can say of a configuration: names that must differ, addresses, and members that must fit each other.
import { isIP } from 'node:net';
import { normalize } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isLoopback, splitAddress } from '../address.ts';
import { type ErrorCode, PaycertError } from '../errors.ts';
import type { Platform } from '../providers/platform.ts';
import { platforms } from '../providers/registry.ts';
import { fieldOf } from '../validation.ts';
import { defaults, milliseconds } from './defaults.ts';
import type { Config } from './schema/config.ts';
import type { CredentialConfig } from './schema/credential.ts';
import type { KeyServicesConfig } from './schema/key-services.ts';
import type { ServerConfig } from './schema/origins.ts';
import type { ActivateConfig, SourceConfig } from './schema/source.ts';
import type { Sound } from './sound.ts';
import type { Path } from './yaml.ts';

/** One rule that does not hold. */
export interface Fault {
  readonly path: Path;
  /** What is said after the name of the field. */
  readonly message: string;
  /** `config-invalid`, unless it is given. */
  readonly code?: ErrorCode;
  /** Members that would make it hold: what is wrong with one of them says enough. */
  readonly absent?: readonly Path[];
}

export const faultError = ({ path, message, code }: Fault, otherwise: ErrorCode = 'config-invalid'): PaycertError =>
  new PaycertError(code ?? otherwise, `${fieldOf(path)} ${message}`, { field: fieldOf(path) });

type Places = Sound<Pick<Config['listen'], 'socket' | 'sockets' | 'tcp'>>;

export function* listenerFaults(config: Sound<Omit<Config, 'credentials'>>): Generator<Fault> {
  const { listen = {}, admin, proxy, notifications, audit, keyServices = {} } = config;
  yield* placeFaults(['listen'], listen, ['socket', 'sockets', 'tcp']);
  yield* portFaults(['admin', 'address'], admin?.address);
  const sockets = socketsIn(listen);
  yield* socketFaults(sockets);
  yield* notificationFaults(notifications);
  yield* auditFaults(audit);
  yield* keyServiceFaults(keyServices);
  if (proxy === undefined) return;
  const proxied: Places = proxy.listen ?? {};
  yield* placeFaults(['proxy', 'listen'], proxied, ['socket', 'tcp']);
  const { socket } = proxied;
  if (socket !== undefined && sockets.some(({ path }) => path !== undefined && normalize(path) === normalize(socket)))
    yield { path: ['proxy', 'listen', 'socket'], message: 'is a socket of listen as well' };
}

/** Lines go somewhere, and there is room for more files than the current one. */
function* auditFaults(audit: Sound<Config['audit']>): Generator<Fault> {
  if (audit === undefined) return;
  const { stdout, volume } = audit;
  if (stdout !== true && volume === undefined)
    yield {
      path: ['audit'],
      message: 'needs volume, or stdout: true',
      absent: [
        ['audit', 'volume'],
        ['audit', 'stdout'],
      ],
    };
  const { maxFileBytes = defaults.auditFileBytes, maxTotalBytes = defaults.auditTotalBytes } = volume ?? {};
  if (maxTotalBytes < 4 * maxFileBytes)
    yield {
      path: ['audit', 'volume', 'maxTotalBytes'],
      message: `is less than four files of ${maxFileBytes} bytes`,
      absent: [['audit', 'volume', 'maxFileBytes']],
    };
}

/** What platforms sent is handed to nobody but the application. */
function* notificationFaults(notifications: Sound<Config['notifications']>): Generator<Fault> {
  if (notifications === undefined) return;
  const { listen, forwardTo, trustedProxies = [] } = notifications;
  yield* portFaults(['notifications', 'listen', 'address'], listen?.address);
  const at = (...names: (string | number)[]): Path => ['notifications', ...names];
  const { socket, path, url } = forwardTo ?? {};
  if (forwardTo !== undefined && (socket === undefined) === (url === undefined))
    yield {
      path: at('forwardTo'),
      message: 'needs socket or url, and not both',
      absent: [at('forwardTo', 'socket'), at('forwardTo', 'url')],
    };
  if (path !== undefined && url !== undefined)
    yield { path: at('forwardTo', 'path'), message: 'stands beside a socket; url has its own' };
  const parsed = url === undefined ? undefined : URL.parse(url);
  if (parsed === null) yield { path: at('forwardTo', 'url'), message: 'is not an address' };
  else if (parsed?.protocol === 'http:' && !isLoopback(parsed.hostname.replace(/^\[|\]$/g, '')))
    yield { path: at('forwardTo', 'url'), message: 'is http:// on another host; use https://' };
  for (const [index, range] of trustedProxies.entries())
    if (range !== undefined && !isRange(range))
      yield { path: at('trustedProxies', index), message: 'is no address and no range of addresses' };
}

function isRange(text: string): boolean {
  const [address = '', prefix = '0'] = text.split('/');
  const family = isIP(address);
  return family > 0 && Number(prefix) <= (family === 4 ? 32 : 128);
}

function* placeFaults(at: Path, places: Places, members: readonly string[]): Generator<Fault> {
  const { socket, sockets, tcp } = places;
  yield* portFaults([...at, 'tcp', 'address'], tcp?.address);
  if ((socket ?? sockets ?? tcp) === undefined)
    yield { path: at, message: 'needs socket, tcp or both', absent: members.map((name) => [...at, name]) };
  if (tcp === undefined) return;
  const member = (name: string): Path => [...at, 'tcp', name];
  if (tcp.address !== undefined && tcp.exposed !== true && !isLoopback(splitAddress(tcp.address).host))
    yield {
      code: 'listener-exposed',
      path: member('address'),
      message: 'is not a loopback address',
      absent: [member('exposed')],
    };
  if (tcp.tokenFile === undefined && tcp.insecure !== true)
    yield {
      path: member('tokenFile'),
      message: 'is missing; without it, say insecure: true',
      absent: [member('tokenFile'), member('insecure')],
    };
}

function* portFaults(path: Path, address = ''): Generator<Fault> {
  if (splitAddress(address).port > 65_535) yield { path, message: 'has a port above 65535' };
}

interface Socket {
  readonly name: string | undefined;
  readonly path: string | undefined;
  readonly at: Path;
}

const socketsIn = ({ socket, sockets = [] }: Places): readonly Socket[] => [
  ...(socket === undefined ? [] : [{ name: 'socket', path: socket, at: ['listen', 'socket'] }]),
  ...sockets.map((one, index) => ({ name: one?.name, path: one?.path, at: ['listen', 'sockets', index] })),
];

/** Names of listeners that are not sockets of a list, and of callers that come through none. */
const reservedNames: ReadonlySet<string> = new Set([
  'socket',
  'tcp',
  'admin',
  'library',
  'proxy-socket',
  'proxy-tcp',
  'notifications',
]);

/** Two sockets of one name could not be told apart, and one path is one socket. */
function* socketFaults(sockets: readonly Socket[]): Generator<Fault> {
  for (const [index, { name, path, at }] of sockets.entries()) {
    const isListed = at.length > 2;
    const earlier = sockets.slice(0, index);
    if (name !== undefined && isListed && reservedNames.has(name))
      yield { path: [...at, 'name'], message: 'is the name of another listener: choose one of your own' };
    else if (name !== undefined && earlier.some((other) => other.name === name))
      yield { path: [...at, 'name'], message: 'is the name of an earlier socket' };
    if (
      path !== undefined &&
      earlier.some((other) => other.path !== undefined && normalize(other.path) === normalize(path))
    )
      yield { path: isListed ? [...at, 'path'] : at, message: 'is the path of an earlier socket' };
  }
}

/** What routes may name; an entry whose name is refused may be the one that a route means. */
export interface Named {
  readonly name: string | undefined;
  /** Of one that is described here, and whose description is in order. */
  readonly provider?: CredentialConfig['provider'] | undefined;
}

/** What a route says of a credential that is described here must fit it; of one that comes from a resource, the call says. */
export function* routeFaults(proxy: Sound<Config>['proxy'], entries: readonly Named[]): Generator<Fault> {
  const known = new Map(entries.map(({ name, provider }) => [name, provider]));
  const isUncertain = known.has(undefined);
  const seen = new Set<string>();
  for (const [index, route] of (proxy?.routes ?? []).entries()) {
    const { credential, origin, double, spareDouble } = route ?? {};
    const at = (member: string): Path => ['proxy', 'routes', index, member];
    if (spareDouble !== undefined && double === undefined)
      yield { path: at('spareDouble'), message: 'stands beside a double, which is not given', absent: [at('double')] };
    if (credential === undefined) continue;
    if (seen.has(credential)) yield { path: at('credential'), message: 'is named by an earlier route' };
    seen.add(credential);
    if (!known.has(credential)) {
      if (!isUncertain) yield { path: at('credential'), message: 'is no credential of this file' };
      continue;
    }
    const sound = platformsOf(known.get(credential));
    const own = sound.flatMap(({ platform, options }) => platform.origins(options));
    if (known.get(credential) === undefined) continue;
    if (double === undefined && own.length === 0 && sound.some(({ platform }) => platform.forwards !== undefined))
      yield {
        path: at('credential'),
        message: 'is a partner whose address nothing says: set `origin` under its provider',
        absent: [at('double')],
      };
    else if (own.some((one) => one.includes('*')) && double === undefined)
      yield {
        path: at('credential'),
        message: 'has a platform of many hosts: name those that are called in its provider’s `endpoints`',
        absent: [at('double')],
      };
    else if (origin !== undefined && !own.includes(origin))
      yield { path: at('origin'), message: `is not one of the platform’s: ${own.join(', ')}` };
  }
}

type Providers = Sound<CredentialConfig['provider']>;

/** One, unless there are too many. */
const platformsOf = (provider: Providers = {}): readonly { platform: Platform; options: Record<string, unknown> }[] =>
  Object.entries<Platform>(platforms).flatMap(([id, platform]) => {
    const options = (provider as Readonly<Record<string, Record<string, unknown> | undefined>>)[id];
    return options === undefined ? [] : [{ platform, options }];
  });

/** Of calls that paycert makes by itself. */
export type OwnCalls = Sound<Pick<CredentialConfig, 'provider' | 'platformCertificates' | 'check' | 'gateway'>>;

/** As WeChat Pay's own SDKs have it, and its page on updating them: at least every twelve hours. */
const everyBetween = ['1h', '12h'] as const;

/** They are made of a platform that takes them, at an address of its own, and as often as it says. */
export function* ownCallFaults(
  { provider, platformCertificates, check, gateway }: OwnCalls,
  at: Path,
): Generator<Fault> {
  const every = typeof platformCertificates === 'object' ? platformCertificates.every : undefined;
  const [shortest, longest] = [milliseconds(everyBetween[0]), milliseconds(everyBetween[1])];
  if (every !== undefined && !(milliseconds(every) >= shortest && milliseconds(every) <= longest))
    yield { path: [...at, 'platformCertificates', 'every'], message: `is not from ${everyBetween.join(' to ')}` };
  if (gateway !== undefined && (platformCertificates ?? check) === undefined)
    yield {
      path: [...at, 'gateway'],
      message: 'says where calls go, and none is made: platformCertificates and check are missing',
      absent: [
        [...at, 'platformCertificates'],
        [...at, 'check'],
      ],
    };
  for (const { platform, options } of platformsOf(provider)) {
    if (platformCertificates !== undefined && platform.certificateList === undefined)
      yield { path: [...at, 'platformCertificates'], message: `is not for ${platform.name}, which lists no certificates` }; // prettier-ignore
    if (check !== undefined && platform.liveCheck === undefined)
      yield { path: [...at, 'check'], message: `is not for ${platform.name}, which cannot be asked` };
    const own = platform.origins(options);
    if (gateway?.origin !== undefined && !own.includes(gateway.origin))
      yield { path: [...at, 'gateway', 'origin'], message: `is not one of the platform’s: ${own.join(', ')}` };
  }
}

/** Two sets, and when the next one signs. */
export function* stagedFaults(source: Sound<Pick<SourceConfig, 'staged'>> | undefined, at: Path): Generator<Fault> {
  const { current, next } = source?.staged ?? {};
  if (current !== undefined && isDeepStrictEqual(current, next))
    yield { path: [...at, 'staged', 'next'], message: 'is the same as current: name where the other set is' };
  yield* activationFaults(source?.staged?.activate, [...at, 'staged', 'activate']);
}

/** Exactly one of a time, a share, and steps that grow. */
export function* activationFaults(activate: Sound<ActivateConfig> | undefined, path: Path): Generator<Fault> {
  if (activate === undefined) return;
  const at = (name: string): Path => [...path, name];
  const given = (['at', 'percent', 'steps'] as const).filter((name) => activate[name] !== undefined);
  const [first, second] = given;
  if (first === undefined)
    yield { path, message: 'needs at, percent or steps', absent: [at('at'), at('percent'), at('steps')] };
  else if (second !== undefined) yield { path: at(second), message: `stands beside ${first}: give one` };
  else if (first === 'at' && activate.of !== undefined) yield { path: at('of'), message: 'is not for at' };
  if (activate.steps !== undefined && activate.from === undefined)
    yield { path: at('from'), message: 'is missing: it says when the steps begin', absent: [at('from')] };
  else if (activate.steps === undefined && activate.from !== undefined)
    yield { path: at('from'), message: 'is for steps alone', absent: [at('steps')] };
  for (const name of ['at', 'from'] as const) {
    const time = activate[name];
    if (time !== undefined && Number.isNaN(Date.parse(time))) yield { path: at(name), message: 'is no time' };
  }
  const shares = activate.steps?.map((step) => step?.percent) ?? [];
  const falling = shares.findIndex((share = 100, index) => share < (shares[index - 1] ?? 0));
  if (falling > 0) yield { path: [...at('steps'), falling, 'percent'], message: 'is less than before: a share grows' };
}

/** Tokens and keys go to servers over TLS, unless somebody says that they need not. */
export function* privacyFaults(source: Sound<SourceConfig> | undefined, at: Path): Generator<Fault> {
  const { merge = [], fallback = [], staged } = source ?? {};
  if (staged !== undefined)
    for (const which of ['current', 'next'] as const) yield* privacyFaults(staged[which], [...at, 'staged', which]);
  const all: (readonly [Path, Pick<Sound<SourceConfig>, 'vault' | 'consul' | 'etcd'> | undefined])[] = [
    [at, source],
    ...merge.map((one, index) => [[...at, 'merge', index], one] as const),
    ...fallback.map((one, index) => [[...at, 'fallback', index], one] as const),
  ];
  for (const [path, { vault, consul, etcd } = {}] of all)
    for (const [kind, server] of Object.entries({ vault, consul, etcd })) yield* addressFaults(server, [...path, kind]);
}

export function* keyServiceFaults(services: Sound<KeyServicesConfig>): Generator<Fault> {
  for (const [name, service] of Object.entries(services)) yield* addressFaults(service, ['keyServices', name]);
}

function* addressFaults(server: Sound<ServerConfig> | undefined, path: Path): Generator<Fault> {
  for (const [index, address] of [server?.address ?? []].flat().entries()) {
    if (address === undefined) continue;
    const member: Path = [...path, 'address', ...(typeof server?.address === 'string' ? [] : [index])];
    const url = URL.parse(address);
    const isExposed = url?.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
    if (url === null) yield { path: member, message: 'is not an address' };
    else if (isExposed && server?.insecure !== true)
      yield {
        path: member,
        message: 'is http:// on another host; use https://, or say insecure: true',
        absent: [[...path, 'insecure']],
      };
  }
}

/** The account is one of that platform, as far as its form says. */
export function* accountFaults(provider: Providers | undefined, at: Path): Generator<Fault> {
  for (const { platform, options } of platformsOf(provider))
    for (const { option, what } of platform.accountProblems?.(options) ?? [])
      yield { path: [...at, platform.id, option], message: what };
}

/** Of an entry, and the member that says its name. */
export interface EntryName {
  readonly name: string | undefined;
  readonly member: string;
}

export function* nameFaults(names: readonly EntryName[]): Generator<Fault> {
  const seen = new Set<string>();
  for (const [index, { name, member }] of names.entries()) {
    if (name === undefined) continue;
    if (seen.has(name)) yield { path: ['credentials', index, member], message: 'is the name of an earlier credential' };
    seen.add(name);
  }
}
