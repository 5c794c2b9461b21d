// What no schema can say of listeners: that nobody outside can reach them, and that no two are one.
import { normalize } from 'node:path';
import { isLoopback, splitAddress } from '../../address.ts';
import type { Config } from '../schema/config.ts';
import type { Sound } from '../sound.ts';
import type { Path } from '../yaml.ts';
import { auditFaults } from './audit.ts';
import type { Fault } from './fault.ts';
import { notificationFaults } from './notifications.ts';
import { portFaults } from './ports.ts';
import { keyServiceFaults } from './servers.ts';

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
  if ((proxy.resign === undefined) !== (proxy.identityFile === undefined)) {
    const [given, absent] = proxy.resign === undefined ? ['identityFile', 'resign'] : ['resign', 'identityFile'];
    yield { path: ['proxy', given], message: `needs ${absent} beside it`, absent: [['proxy', absent]] };
  }
  const { socket } = proxied;
  if (socket !== undefined && sockets.some(({ path }) => path !== undefined && normalize(path) === normalize(socket)))
    yield { path: ['proxy', 'listen', 'socket'], message: 'is a socket of listen as well' };
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
