// The signing proxy of a sidecar: its connections, its listeners, and the token that they ask for. Loaded only where it is configured.
import type { Clock } from '../clock.ts';
import { defaults, milliseconds } from '../config/defaults.ts';
import type { ProxyConfig } from '../config/schema/proxy.ts';
import type { Observe } from '../events.ts';
import { GatewayClient, type HostState } from '../gateway/client.ts';
import { openConnections } from '../gateway/connections.ts';
import type { Learn } from '../gateway/proving.ts';
import type { WayOut } from '../gateway/way-out.ts';
import type { Listener } from '../server/bind.ts';
import type { Limits } from '../server/limits.ts';
import { listenOnTcp } from '../server/listeners.ts';
import { readIdentity } from '../server/proxy/identity.ts';
import { createProxy } from '../server/proxy/proxy.ts';
import { listenOnSocket, type SocketListener } from '../server/socket.ts';
import { aroundEach } from '../store/call.ts';
import type { Limiter } from '../store/limiter.ts';
import type { Store } from '../store/store.ts';
import type { CallAudit } from '../audit/signed.ts';
import type { TraceOf } from '../trace.ts';

export interface ProxyDependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly observe: Observe;
  /** The token of the TCP listener, as it is now. */
  readonly token: () => string | undefined;
  readonly audit: CallAudit | undefined;
  /** Whose turn it is in the thread pool. */
  readonly limiter: Limiter;
  /** Absent: nothing is traced. */
  readonly traceOf?: TraceOf | undefined;
  /** Of each of its listeners. */
  readonly limits: Limits;
  readonly learn: Learn;
  /** The proxy on the way out, where there is one. */
  readonly wayOut: WayOut | undefined;
}

export interface RunningProxy {
  /** By the names that they have in the log. */
  readonly listeners: ReadonlyMap<string, Listener>;
  readonly socket: SocketListener | undefined;
  /** What the configuration says from now on of the routes. The rest takes a restart. */
  apply(routes: ProxyConfig['routes']): void;
  /** What is known of the hosts of platforms. */
  hosts(): readonly HostState[];
  /** Once the listeners are closed. */
  close(): Promise<void>;
}

/** @throws PaycertError `package-missing`, `config-invalid`, `listener-in-use`, `listener-unusable` */
export async function startProxy(config: ProxyConfig, dependencies: ProxyDependencies): Promise<RunningProxy> {
  const { store, clock, observe, token, audit, limiter, traceOf, limits, wayOut, learn } = dependencies;
  const { listen, maxBodyBytes = defaults.proxyMaxBodyBytes, deadline = defaults.deadline } = config;
  const { spareShare = defaults.spareShare, attempts = defaults.attempts } = config;
  const { correctClock: correctsClock = defaults.correctClock } = config;
  const { breaker = {}, bulkhead = {}, traceHeaders: passesTraceOn = defaults.traceHeaders } = config;
  let { routes } = config;
  const { identityFile } = config;
  const local = identityFile === undefined ? undefined : { identity: await readIdentity(identityFile), limiter };
  const connections = await openConnections(wayOut);
  const elapsed = () => performance.now();
  const proxy = {
    ...{ store, clock, observe, maxBodyBytes, local, milliseconds: elapsed, routes: () => routes, traceOf },
    // Apart from the local API: a slow platform must not take the turns of those who only sign.
    around: aroundEach({ observe, milliseconds: elapsed, most: limits.connections, audit: audit?.around }),
    gateway: new GatewayClient({
      ...{
        store,
        clock,
        observe,
        connections,
        spareShare,
        attempts,
        milliseconds: elapsed,
        random: Math.random,
        correctsClock,
        witness: audit?.witness,
        learn,
        passesTraceOn,
      },
      deadlineMilliseconds: milliseconds(deadline),
      breaker: {
        failurePercent: breaker.failurePercent ?? defaults.failurePercent,
        minimumCalls: breaker.minimumCalls ?? defaults.minimumCalls,
        openMilliseconds: milliseconds(breaker.openFor ?? defaults.openFor),
      },
      bulkhead: {
        concurrent: bulkhead.concurrent ?? defaults.concurrent,
        queued: bulkhead.queued ?? defaults.queued,
      },
    }),
  };

  const listeners = new Map<string, Listener>();
  let socket: SocketListener | undefined;
  try {
    if (listen.socket !== undefined) {
      socket = await listenOnSocket(listen.socket, createProxy(proxy, 'proxy-socket'), {
        clock,
        observe,
        limits,
      });
      listeners.set('proxy-socket', socket);
    }
    if (listen.tcp) {
      const { address, exposed: isExposed = false } = listen.tcp;
      const options = { address, token, isExposed, limits, kind: 'proxy' } as const;
      listeners.set('proxy-tcp', await listenOnTcp(options, createProxy(proxy, 'proxy-tcp')));
    }
  } catch (error) {
    await Promise.all([...listeners.values()].map((listener) => listener.close()));
    await connections.close();
    throw error;
  }
  const hosts = () => proxy.gateway.hosts();
  const close = () => {
    proxy.gateway.close();
    return connections.close();
  };
  return { listeners, socket, hosts, apply: (next) => (routes = next), close };
}
