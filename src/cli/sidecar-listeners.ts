// Every listener of a sidecar: opened in order, health first, and closed together.
import { defaults } from '../config/defaults.ts';
import type { Config } from '../config/schema/config.ts';
import { socketsOf } from '../config/sockets.ts';
import { type Admin, createAdmin } from '../server/admin.ts';
import type { Listener } from '../server/bind.ts';
import { type Api, createApi } from '../server/http.ts';
import { type ListenerKind, type Limits, shareOut } from '../server/limits.ts';
import { listenOnPort, listenOnTcp } from '../server/listeners.ts';
import { listenOnSocket, type SocketListener } from '../server/socket.ts';
import type { SharedState } from '../delivery/redis.ts';
import type { HostState } from '../gateway/client.ts';
import type { Learn } from '../gateway/proving.ts';
import type { WayOut } from '../gateway/way-out.ts';
import type { Limiter } from '../store/limiter.ts';
import type { FollowedTokens } from './sidecar-files.ts';
import type { RunningAudit } from './sidecar-audit.ts';
import type { RunningNotifications } from './sidecar-notifications.ts';
import type { RunningProxy } from './sidecar-proxy.ts';

/** What the listeners serve from. */
export interface Served {
  readonly admin: Omit<Admin, 'hosts' | 'isListening' | 'impediment'>;
  readonly api: Omit<Api, 'hosts' | 'dedupe'>;
  readonly tokens: FollowedTokens;
  readonly audit: RunningAudit | undefined;
  /** Whose turn it is in the thread pool. */
  readonly limiter: Limiter;
  readonly learn: Learn;
  /** The proxy on the way out, where there is one. */
  readonly wayOut: WayOut | undefined;
}

/** How much each listener may take: they share the descriptors of the process. */
export const limitsOf = (config: Config): Readonly<Record<ListenerKind, Limits>> => shareOut(kindsOf(config));

export class SidecarListeners {
  readonly #config: Config;
  readonly #limits: Readonly<Record<ListenerKind, Limits>>;
  readonly #served: Served;
  readonly #bound: Listener[] = [];
  readonly #sockets: SocketListener[] = [];
  #proxy: RunningProxy | undefined;
  #notifications: RunningNotifications | undefined;
  #isListening = false;

  constructor(config: Config, limits: Readonly<Record<ListenerKind, Limits>>, served: Served) {
    this.#config = config;
    this.#limits = limits;
    this.#served = served;
  }

  /**
   * A probe must be answered while material is still loading.
   * @throws PaycertError `listener-in-use`, `listener-unusable`, `package-missing`, `config-invalid`: those that are open stay so until `close`
   */
  async open(): Promise<void> {
    await this.#openAdmin();
    await this.#openApi();
    await this.#openProxy();
    await this.#openNotifications();
    this.#isListening = true;
  }

  /** What a new configuration says; the rest of it takes a restart. */
  apply({ proxy }: Config): void {
    this.#proxy?.apply(proxy?.routes);
  }

  /** Responses under way are finished; then what the listeners used is closed. */
  async close(): Promise<void> {
    await Promise.all(this.#bound.map((listener) => listener.close()));
    await this.#proxy?.close();
    this.#notifications?.close();
  }

  readonly #hosts = (): readonly HostState[] | undefined => this.#proxy?.hosts();
  readonly #dedupe = (): SharedState | undefined => this.#notifications?.dedupe();

  /** Why callers cannot come in: a socket whose file is gone. */
  #impediment(): string | undefined {
    const sockets = [...this.#sockets, this.#proxy?.socket];
    return sockets.map((socket) => socket?.impediment()).find((why) => why !== undefined);
  }

  #add(name: string, listener: Listener): void {
    this.#bound.push(listener);
    this.#served.admin.observe({ type: 'listening', listener: name, address: listener.address });
  }

  async #openAdmin(): Promise<void> {
    const admin = createAdmin({
      ...this.#served.admin,
      hosts: this.#hosts,
      dedupe: this.#dedupe,
      isListening: () => this.#isListening,
      impediment: () => this.#impediment(),
    });
    const address = this.#config.admin?.address ?? defaults.adminAddress;
    this.#add('admin', await listenOnPort(address, admin, this.#limits.admin));
  }

  async #openApi(): Promise<void> {
    const { listen } = this.#config;
    const { clock, observe } = this.#served.api;
    const api = { ...this.#served.api, hosts: this.#hosts, dedupe: this.#dedupe };
    const limits = this.#limits.callers;
    for (const { name, path, group } of socketsOf(listen)) {
      const socket = await listenOnSocket(path, createApi(api, name), { group, clock, observe, limits });
      this.#sockets.push(socket);
      this.#add(name, socket);
    }
    if (!listen.tcp) return;
    const { address, exposed: isExposed = false } = listen.tcp;
    const token = () => this.#served.tokens.get('token');
    this.#add('tcp', await listenOnTcp({ address, token, isExposed, limits }, createApi(api, 'tcp')));
  }

  async #openProxy(): Promise<void> {
    const { proxy } = this.#config;
    if (proxy === undefined) return;
    const { startProxy } = await import('./sidecar-proxy.ts');
    const { api, audit, tokens, limiter, wayOut, learn } = this.#served;
    const token = () => tokens.get('proxy-token');
    this.#proxy = await startProxy(proxy, { ...api, token, audit, limiter, limits: this.#limits.proxy, wayOut, learn });
    for (const [name, listener] of this.#proxy.listeners) this.#add(name, listener);
  }

  async #openNotifications(): Promise<void> {
    const { notifications } = this.#config;
    if (notifications === undefined) return;
    const { startNotifications } = await import('./sidecar-notifications.ts');
    const { api, tokens } = this.#served;
    const secret = () => tokens.get('notification-secret') ?? '';
    const password = () => tokens.get('redis-password');
    const limits = this.#limits.notifications;
    this.#notifications = await startNotifications(notifications, { ...api, secret, password, limits });
    this.#add('notifications', this.#notifications.listener);
  }
}

function kindsOf({ listen, proxy, notifications }: Config): readonly ListenerKind[] {
  const proxied = [proxy?.listen.socket, proxy?.listen.tcp].filter((one) => one !== undefined);
  return [
    'admin',
    ...socketsOf(listen).map(() => 'callers' as const),
    ...(listen.tcp ? (['callers'] as const) : []),
    ...proxied.map(() => 'proxy' as const),
    ...(notifications ? (['notifications'] as const) : []),
  ];
}
