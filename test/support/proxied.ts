// The signing proxy on a real listener, over a store with one credential, in front of what the test calls a platform.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event, Observe } from '../../src/events.ts';
import { GatewayClient, type GatewayClientOptions } from '../../src/gateway/client.ts';
import { openConnections } from '../../src/gateway/connections.ts';
import { type PlatformConfig, platformOf, platforms } from '../../src/providers/registry.ts';
import type { ProxyRoute } from '../../src/server/proxy/allowed.ts';
import type { TraceOf } from '../../src/trace.ts';
import { createProxy } from '../../src/server/proxy/proxy.ts';
import type { LocalSigning } from '../../src/server/proxy/resign.ts';
import { limitsOf } from '../../src/server/limits.ts';
import { listenOnTcp } from '../../src/server/listeners.ts';
import { listenOnSocket } from '../../src/server/socket.ts';
import { aroundEach } from '../../src/store/call.ts';
import type { CredentialPolicy } from '../../src/store/store.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { type CredentialOptions, type Loaded, loadStore, merchantId } from './api-server.ts';
import { type Answer, type Call, exchange } from './http-client.ts';
import type { Scope } from './raw-platform.ts';

export const token = 'a-token-for-the-proxy';

export const wechatpayPolicy: Partial<CredentialPolicy> = {
  origins: platforms.wechatpay.origins({ merchantId }),
  forwarding: platforms.wechatpay.forwards?.({ merchantId }),
};

/** A credential of another platform. */
export function shopAt(config: PlatformConfig) {
  const { platform, options } = platformOf(config);
  const forwarding = platform.forwards?.(options);
  return { provider: platform.create(options), policy: { origins: platform.origins(options), forwarding } };
}

export interface Proxied extends Loaded {
  /** The path of its Unix socket. */
  readonly socket: string;
  /** host:port, for callers that know the token. */
  readonly tcp: string;
  readonly gateway: GatewayClient;
  call(call: Call): Promise<ProxyAnswer>;
}

export interface ProxyAnswer extends Answer {
  /** Of a problem: its code, and what it says of the call. */
  readonly problem?: {
    readonly title: string;
    readonly detail: string;
    readonly hint: string;
    readonly field?: string;
    readonly outcome?: string;
  };
}

export interface ProxiedOptions extends Partial<
  Pick<
    GatewayClientOptions,
    'budget' | 'spareShare' | 'milliseconds' | 'attempts' | 'correctsClock' | 'breaker' | 'bulkhead' | 'passesTraceOn'
  >
> {
  readonly material: { readonly files: Files };
  /** Of the credential `shop`; WeChat Pay unless given. */
  readonly shop?: Pick<CredentialOptions, 'provider' | 'policy'>;
  /** The origin of the platform. */
  readonly double: string;
  readonly routes?: readonly ProxyRoute[];
  readonly maxBodyBytes?: number;
  /** As with `resign: local`. */
  readonly local?: LocalSigning;
  /** The time that does not pass; as of the other tests unless given. */
  readonly now?: Date;
  /** Resolves when the deadline of a call comes; never unless given. */
  readonly deadline?: (signal: AbortSignal) => Promise<void>;
  readonly traceOf?: TraceOf | undefined;
  /** Sees each event of the gateway and the proxy, beside `events`. */
  readonly observe?: Observe;
  /** Waits between two attempts; not at all unless given. */
  readonly pause?: (milliseconds: number) => Promise<void>;
}

export async function startProxied(t: Scope, options: ProxiedOptions): Promise<Proxied> {
  const { material, double, routes = [{ credential: 'shop', double }], maxBodyBytes = 1024 * 1024 } = options;
  const { shop = { policy: wechatpayPolicy }, local } = options;
  const loaded = await loadStore({ shop: { files: material.files, ...shop }, other: {} }, options.now);
  const { store, events } = loaded;
  const observe = (event: Event) => {
    events.push(event);
    options.observe?.(event);
  };
  const connections = await openConnections();
  const {
    deadline = never,
    pause = () => Promise.resolve(),
    budget,
    spareShare = 0,
    attempts = 3,
    correctsClock = false,
    passesTraceOn = false,
    traceOf,
    // As shipped.
    breaker = { failurePercent: 50, minimumCalls: 20, openMilliseconds: 5000 },
    bulkhead = { concurrent: 256, queued: 1024 },
  } = options;
  const clock = {
    now: () => loaded.clock.now(),
    sleep: (milliseconds: number, signal: AbortSignal) =>
      milliseconds === deadlineMilliseconds ? deadline(signal) : pause(milliseconds),
  };
  const { milliseconds = () => performance.now() } = options;
  const gateway = new GatewayClient({
    ...{
      store,
      clock,
      observe,
      connections,
      deadlineMilliseconds,
      milliseconds,
      attempts,
      correctsClock,
      passesTraceOn,
      random: () => 1,
      spareShare,
      breaker,
      bulkhead,
      ...(budget && { budget }),
    },
  });
  const around = aroundEach({ observe, milliseconds, most: 1024 });
  const proxy = {
    store,
    clock,
    observe,
    around,
    gateway,
    maxBodyBytes,
    local,
    routes: () => routes,
    milliseconds,
    traceOf,
  };
  const directory = await mkdtemp(join(tmpdir(), 'paycert-'));
  const socket = await listenOnSocket(join(directory, 'proxy.sock'), createProxy(proxy, 'proxy-socket'), {
    limits: limitsOf('proxy'),
  });
  const tcp = await listenOnTcp(
    { address: '127.0.0.1:0', token: () => token, isExposed: false, kind: 'proxy' },
    createProxy(proxy, 'proxy-tcp'),
  );
  t.after(async () => {
    gateway.close();
    await connections.close();
    await Promise.all([socket.close(), tcp.close()]);
    await rm(directory, { recursive: true });
  });
  return {
    ...loaded,
    socket: socket.address,
    tcp: tcp.address,
    gateway,
    async call(call) {
      const answer = await exchange(socket.address, call);
      const isProblem = answer.headers['content-type'] === 'application/problem+json';
      return {
        ...answer,
        ...(isProblem && { problem: JSON.parse(answer.text) as NonNullable<ProxyAnswer['problem']> }),
      };
    },
  };
}

const deadlineMilliseconds = 30_000;

/** A deadline that never comes. */
const never = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
