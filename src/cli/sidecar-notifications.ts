// The notifications of a sidecar: their listener, the application behind it, and what both remember. Loaded only where it is configured.
import type { Clock } from '../clock.ts';
import { defaults, milliseconds } from '../config/defaults.ts';
import type { NotificationsConfig } from '../config/schema/notifications.ts';
import { Application } from '../delivery/application.ts';
import { Claims } from '../delivery/claims.ts';
import { Once } from '../delivery/once.ts';
import { openRedis, type RedisStore, type SharedState } from '../delivery/redis.ts';
import { Strangers } from '../delivery/strangers.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { Listener } from '../server/bind.ts';
import { deliveriesAtOnce, type Limits, notificationsBytes } from '../server/limits.ts';
import { listenOnPort } from '../server/listeners.ts';
import { createNotifications } from '../server/notifications/notifications.ts';
import { isFromTrusted, sourceAddressOf } from '../server/notifications/source-address.ts';
import { aroundEach } from '../store/call.ts';
import type { Store } from '../store/store.ts';
import type { TraceOf } from '../trace.ts';
import { shownPath } from '../shown-path.ts';
import { BufferBudget } from '../system/buffer-budget.ts';
import { readFilled, whyUnreadable } from '../system/read-bounded.ts';

export interface NotificationDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly observe: Observe;
  /** What the application knows too, as it is now. */
  readonly secret: () => string;
  /** Of the Redis that pods share, as it is now. */
  readonly password: () => string | undefined;
  readonly limits: Limits;
  /** Absent: nothing is traced. */
  readonly traceOf?: TraceOf | undefined;
}

export interface RunningNotifications {
  readonly listener: Listener;
  /** Of what pods share, where they do. */
  dedupe(): SharedState | undefined;
  /** Once the listener is closed. */
  close(): void;
}

/** @throws PaycertError `listener-in-use`, `listener-unusable`, `package-missing`, `config-invalid` */
export async function startNotifications(
  config: NotificationsConfig,
  dependencies: NotificationDependencies,
): Promise<RunningNotifications> {
  const { store, clock, observe, secret, limits, traceOf } = dependencies;
  const { listen, forwardTo, deliver = defaults.deliver, trustedProxies = [] } = config;
  const { applicationDeadline = defaults.applicationDeadline, remember = defaults.rememberedNotifications } = config;
  const elapsed = () => performance.now();
  const isTrusted = isFromTrusted(trustedProxies);
  const redis = config.dedupe && (await redisOf(config.dedupe.redis, dependencies));
  const budget = new BufferBudget(notificationsBytes);
  const application = new Application({
    ...{ place: placeOf(forwardTo), clock, milliseconds: elapsed },
    deadlineMilliseconds: milliseconds(applicationDeadline),
    connections: deliveriesAtOnce,
  });
  const listener = createNotifications({
    ...{ store, clock, observe, secret, deliver, application, milliseconds: elapsed },
    // Apart from the local API: a flood must not take the turns of those who sign.
    around: aroundEach({ observe, milliseconds: elapsed, most: limits.connections }),
    once: new Once({
      milliseconds: elapsed,
      capacity: remember,
      most: deliveriesAtOnce,
      forgotten: () => observe({ type: 'notification-forgotten' }),
      claims:
        redis &&
        new Claims({
          ...{ store: redis, secret },
          claimMilliseconds: milliseconds(applicationDeadline) + claimMarginMilliseconds,
          unshared: (error) => observe({ type: 'delivery-unshared', error }),
        }),
    }),
    strangers: new Strangers({ milliseconds: elapsed }),
    hold: () => budget.open(),
    sourceOf: sourceAddressOf(trustedProxies),
    tracing: traceOf && {
      // A stranger continues no trace of ours, and decides on none.
      traceOf: (request) => traceOf(isTrusted(request) ? request.headers : {}),
      deliversTo: shownUrl(placeOf(forwardTo).url),
    },
  });
  const bound = await listenOnPort(listen.address, listener, limits);
  return {
    listener: bound,
    dedupe: () => redis?.state(),
    close() {
      application.close();
      redis?.close();
    },
  };
}

/** What a delivery takes beside the application. */
const claimMarginMilliseconds = 10_000;

async function redisOf(
  config: NonNullable<NotificationsConfig['dedupe']>['redis'],
  { clock, observe, password }: NotificationDependencies,
): Promise<RedisStore> {
  const { address, username, caFile, database = defaults.redisDatabase } = config;
  const { prefix = defaults.redisPrefix, deadline = defaults.redisDeadline } = config;
  const ca = caFile === undefined ? undefined : await readAuthorities(caFile);
  const deadlineMilliseconds = milliseconds(deadline);
  return openRedis({ address, username, password, ca, database, prefix, deadlineMilliseconds, clock, observe });
}

/** @throws PaycertError `config-invalid` */
export async function readAuthorities(path: string): Promise<string> {
  // Of nothing, Node would make its own list.
  const bytes = await readFilled(path, 'certificate').catch((error: unknown) => {
    const field = 'notifications.dedupe.redis.caFile';
    throw new PaycertError('config-invalid', `${path} ${whyUnreadable(error)}`, { field });
  });
  return bytes.toString();
}

const shownUrl = (url: string): string => `${new URL(url).origin}${shownPath(url)}`;

const placeOf = ({ socket, path = '/', url }: NotificationsConfig['forwardTo']) =>
  socket === undefined ? { url: url ?? '' } : { socket, url: `http://localhost${path}` };
