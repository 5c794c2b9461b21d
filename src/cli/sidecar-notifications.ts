// The notifications of a sidecar: their listener, the application behind it, and what both remember. Loaded only where it is configured.
import type { Clock } from '../clock.ts';
import { defaults, milliseconds } from '../config/defaults.ts';
import type { NotificationsConfig } from '../config/schema/notifications.ts';
import { Application } from '../delivery/application.ts';
import { Once } from '../delivery/once.ts';
import { Strangers } from '../delivery/strangers.ts';
import type { Observe } from '../events.ts';
import type { Listener } from '../server/bind.ts';
import { deliveriesAtOnce, type Limits, notificationsBytes } from '../server/limits.ts';
import { listenOnPort } from '../server/listeners.ts';
import { createNotifications } from '../server/notifications/notifications.ts';
import { sourceAddressOf } from '../server/notifications/source-address.ts';
import { aroundEach } from '../store/call.ts';
import type { Store } from '../store/store.ts';
import { BufferBudget } from '../system/buffer-budget.ts';

export interface NotificationDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly observe: Observe;
  /** What the application knows too, as it is now. */
  readonly secret: () => string;
  readonly limits: Limits;
}

export interface RunningNotifications {
  readonly listener: Listener;
  /** Once the listener is closed. */
  close(): void;
}

/** @throws PaycertError `listener-in-use`, `listener-unusable` */
export async function startNotifications(
  config: NotificationsConfig,
  { store, clock, observe, secret, limits }: NotificationDependencies,
): Promise<RunningNotifications> {
  const { listen, forwardTo, deliver = defaults.deliver, trustedProxies = [] } = config;
  const { applicationDeadline = defaults.applicationDeadline, remember = defaults.rememberedNotifications } = config;
  const elapsed = () => performance.now();
  const budget = new BufferBudget(notificationsBytes);
  const application = new Application({
    place: placeOf(forwardTo),
    clock,
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
    }),
    strangers: new Strangers({ milliseconds: elapsed }),
    hold: () => budget.open(),
    sourceOf: sourceAddressOf(trustedProxies),
  });
  const bound = await listenOnPort(listen.address, listener, limits);
  return { listener: bound, close: () => application.close() };
}

const placeOf = ({ socket, path = '/', url }: NotificationsConfig['forwardTo']) =>
  socket === undefined ? { url: url ?? '' } : { socket, url: `http://localhost${path}` };
