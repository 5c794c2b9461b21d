// Health and metrics of the operator: plain or over TLS, and metrics for all or for whom the API server permits.
import type { Clock } from '../clock.ts';
import type { Observe } from '../events.ts';
import type { KubeClient } from '../kube/client.ts';
import { ScrapeAccess } from '../operator/scrape-access.ts';
import type { Listener } from '../server/bind.ts';
import { type Metrics, metricsRoute, probe, probeReply } from '../server/health.ts';
import { listenOnPort, listenOnSecurePort } from '../server/listeners.ts';
import { type Route, serveRoutes } from '../server/routes.ts';
import { mountedCertificate } from './serving-certificate.ts';

export interface OperatorListenerOptions {
  readonly address: string;
  /** Directory with `tls.crt` and `tls.key`; without it the listener speaks plain HTTP. */
  readonly tls?: string | undefined;
  /** Whether `/metrics` needs a token of the cluster. Probes of kubelet have none. */
  readonly metricsAuth?: boolean;
  readonly metrics: Metrics;
  /** Why it is not ready. */
  readonly impediment: () => string | undefined;
  readonly client: Pick<KubeClient, 'create'>;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** @returns the listener, and the task that renews its certificate */
export async function openOperatorListener(
  options: OperatorListenerOptions,
  signal: AbortSignal,
): Promise<Listener & { readonly run: (signal: AbortSignal) => Promise<void> }> {
  const { address, tls, clock, observe } = options;
  const unknown = 'this listener has health and metrics: /livez, /readyz, /metrics';
  const serve = serveRoutes(routesOf(options, signal), { where: 'admin', unknown, observe });
  if (tls === undefined) return { ...(await listenOnPort(address, serve)), run: () => Promise.resolve() };
  const certificate = mountedCertificate(tls, clock, observe);
  const { present, ...listener } = await listenOnSecurePort(address, serve, await certificate.read(signal));
  return { ...listener, run: (running) => certificate.follow(present, running) };
}

function routesOf(options: OperatorListenerOptions, signal: AbortSignal): Route[] {
  const { impediment, metrics, metricsAuth = false, client, clock } = options;
  const route = metricsRoute(metrics, clock);
  const access = new ScrapeAccess({ client, clock, signal });
  const guarded: Route = {
    ...route,
    run: async (call) => {
      await access.admit(call.request.headers.authorization);
      return route.run(call);
    },
  };
  return [
    probe('/livez', 'Whether the process answers.', () => probeReply(true)),
    probe('/readyz', 'Whether it watches what it must.', () => probeReply(impediment() === undefined, impediment())),
    metricsAuth ? guarded : route,
  ];
}
