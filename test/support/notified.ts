// The listener for notifications over a store with the credential `shop`, and an application whose answers the test decides.
import { once as nextEvent } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Application } from '../../src/delivery/application.ts';
import { Once } from '../../src/delivery/once.ts';
import { Strangers } from '../../src/delivery/strangers.ts';
import type { Event } from '../../src/events.ts';
import { type PlatformConfig, platformOf } from '../../src/providers/registry.ts';
import { limitsOf } from '../../src/server/limits.ts';
import { listenOnPort } from '../../src/server/listeners.ts';
import { createNotifications, type NotificationsOptions } from '../../src/server/notifications/notifications.ts';
import { sourceAddressOf } from '../../src/server/notifications/source-address.ts';
import { aroundEach } from '../../src/store/call.ts';
import { BufferBudget } from '../../src/system/buffer-budget.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { type Loaded, loadStore, merchantId } from './api-server.ts';
import { FakeClock } from './fake-clock.ts';
import { type Answer, type Call, exchange } from './http-client.ts';

export const secret = 'a-secret-of-the-application';

const hour = 3_600_000;

/** As its own, but for what ends a connection after seconds: here the time of a test is another, and a busy machine takes long. */
const patient = {
  ...limitsOf('notifications'),
  headMilliseconds: hour,
  requestMilliseconds: hour,
  stalledMilliseconds: 0,
};

/** What the application got. */
export interface Handed {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Answers it. */
  readonly answer: (status: number) => void;
  /** Ends the connection without an answer, as one that is killed. */
  readonly die: () => void;
}

/** An application over a Unix socket; it answers when the test says so, or at once with `status`. */
export class ApplicationDouble {
  readonly handed: Handed[] = [];
  /** Of what comes from now on; undefined: the test answers each. */
  status: number | undefined = 200;
  /** In place of a status: what it does with each. */
  act: ((handed: Handed) => void) | undefined;
  #waiting: (() => void)[] = [];

  receive(path: string, headers: IncomingHttpHeaders, body: Buffer, response: ServerResponse): void {
    const answer = (status: number) => void response.writeHead(status).end();
    const handed = { path, headers, body, answer, die: () => void response.destroy() };
    this.handed.push(handed);
    if (this.act !== undefined) this.act(handed);
    else if (this.status !== undefined) answer(this.status);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The one of that number, from 1 on, once it has come. */
  async number(wanted: number): Promise<Handed> {
    while (this.handed.length < wanted) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.handed[wanted - 1]!;
  }
}

export interface Notified extends Loaded {
  /** host:port. */
  readonly address: string;
  readonly application: ApplicationDouble;
  readonly timers: FakeClock;
  readonly once: Once;
  readonly strangers: Strangers;
  /** Posts it, at `/shop/notify` unless given. */
  post(message: Partial<Call>): Promise<Answer>;
  /** Lets time pass for what is remembered. */
  pass(milliseconds: number): void;
  /** The next event of that type, or the one before. */
  event<T extends Event['type']>(type: T, from?: number): Promise<Extract<Event, { type: T }>>;
}

export interface NotifiedOptions extends Partial<Pick<NotificationsOptions, 'deliver' | 'tracing'>> {
  /** Of the credential `shop`; none: it is not loaded. */
  readonly files?: Files | undefined;
  readonly provider?: PlatformConfig;
  readonly now?: Date;
  readonly capacity?: number;
  readonly trustedProxies?: readonly string[];
  readonly atOnce?: number;
}

export async function startNotified(t: TestContext, options: NotifiedOptions): Promise<Notified> {
  const {
    provider = { wechatpay: { merchantId } },
    files,
    now,
    capacity = 1000,
    trustedProxies = [],
    atOnce = 16,
    tracing,
  } = options;
  const { platform, options: platformOptions } = platformOf(provider);
  const policy = { provider: platform.id, notifying: platform.notifies?.(platformOptions) };
  const loaded = await loadStore({ shop: { files, provider: platform.create(platformOptions), policy } }, now);
  const { store, events } = loaded;
  let wake: (() => void)[] = [];
  const observe = (event: Event) => {
    events.push(event);
    for (const one of wake.splice(0)) one();
  };
  const directory = await mkdtemp(join(tmpdir(), 'paycert-'));
  const application = new ApplicationDouble();
  const server = createServer((request, response) => {
    void request
      .toArray()
      .then((chunks: Buffer[]) =>
        application.receive(request.url ?? '', request.headers, Buffer.concat(chunks), response),
      );
  });
  const socket = join(directory, 'application.sock');
  server.listen(socket);
  await nextEvent(server, 'listening');
  const timers = new FakeClock(loaded.clock.now());
  const clock = { now: () => loaded.clock.now(), sleep: timers.sleep.bind(timers) };
  let elapsed = 0;
  const milliseconds = () => elapsed;
  const once = new Once({
    milliseconds,
    capacity,
    most: atOnce,
    forgotten: () => observe({ type: 'notification-forgotten' }),
  });
  const strangers = new Strangers({ milliseconds });
  const budget = new BufferBudget(1024 * 1024);
  const place = { socket, url: 'http://localhost/notified' };
  const client = new Application({ place, clock, milliseconds, deadlineMilliseconds: 60_000, connections: atOnce });
  const { deliver = 'opened' } = options;
  const listener = createNotifications({
    ...{ store, clock, observe, milliseconds, once, strangers, deliver },
    around: aroundEach({ observe, milliseconds, most: 1024 }),
    application: client,
    hold: () => budget.open(),
    secret: () => secret,
    sourceOf: sourceAddressOf(trustedProxies),
    tracing,
  });
  const { address, close } = await listenOnPort('127.0.0.1:0', listener, patient);
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await close();
    client.close();
    wake = [];
    await rm(directory, { recursive: true });
  });
  return {
    ...{ ...loaded, address, application, timers, once, strangers },
    post: (message) => exchange(address, { path: '/shop/notify', method: 'POST', ...message }),
    pass: (more) => void (elapsed += more),
    async event(type, from = 0) {
      for (;;) {
        const found = events.slice(from).find((event) => event.type === type);
        if (found !== undefined) return found as never;
        await new Promise<void>((resolve) => wake.push(resolve));
      }
    },
  };
}
