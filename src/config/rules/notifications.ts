// What no schema can say of notifications: where they come from, and where they go.
import { isIP } from 'node:net';
import { isLoopback } from '../../address.ts';
import { milliseconds } from '../defaults.ts';
import type { Config } from '../schema/config.ts';
import type { NotificationsConfig } from '../schema/notifications.ts';
import type { Sound } from '../sound.ts';
import type { Path } from '../yaml.ts';
import type { Fault } from './fault.ts';
import { portFaults } from './ports.ts';

type Redis = NonNullable<NotificationsConfig['dedupe']>['redis'] | undefined;

/** What platforms sent is handed to nobody but the application. */
export function* notificationFaults(notifications: Sound<Config['notifications']>): Generator<Fault> {
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
  yield* redisFaults(notifications.dedupe?.redis, at('dedupe', 'redis'));
  for (const [index, range] of trustedProxies.entries())
    if (range !== undefined && !isRange(range))
      yield { path: at('trustedProxies', index), message: 'is no address and no range of addresses' };
}

/** Longer would leave nothing of the five seconds that a platform waits. */
const longestDeadlineMilliseconds = 1000;

function* redisFaults(redis: Sound<Redis>, at: Path): Generator<Fault> {
  const { address, insecure: isInsecure = false, username, passwordFile, caFile, deadline } = redis ?? {};
  const { protocol, hostname = '', port = '' } = (address !== undefined && URL.parse(address)) || {};
  if (address !== undefined && (protocol === undefined || port === '0'))
    yield { path: [...at, 'address'], message: 'is not an address' };
  if (protocol === 'redis:' && !isInsecure && !isLoopback(hostname.replace(/^\[|\]$/g, '')))
    yield {
      path: [...at, 'address'],
      message: 'is redis:// on another host; use rediss://, or allow it with insecure: true',
      absent: [[...at, 'insecure']],
    };
  if (protocol === 'redis:' && caFile !== undefined) yield { path: [...at, 'caFile'], message: 'is for rediss://' };
  if (username !== undefined && passwordFile === undefined)
    yield { path: [...at, 'username'], message: 'needs a passwordFile', absent: [[...at, 'passwordFile']] };
  if (deadline !== undefined && milliseconds(deadline) > longestDeadlineMilliseconds)
    yield {
      path: [...at, 'deadline'],
      message: 'is more than 1s: platforms wait for five, twice it, and the application',
    };
}

function isRange(text: string): boolean {
  const [address = '', prefix = '0'] = text.split('/');
  const family = isIP(address);
  return family > 0 && Number(prefix) <= (family === 4 ? 32 : 128);
}
