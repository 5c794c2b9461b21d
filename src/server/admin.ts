// Health, metrics and public status of a sidecar: what kubelet, Prometheus and people with a port-forward ask.
import type { RequestListener } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Observe } from '../events.ts';
import { describeForFleet, type Sighting } from '../store/sighting.ts';
import { isReady } from '../store/store.ts';
import { type Metrics, metricsRoute, probe, probeReply } from './health.ts';
import { describePublicly } from './public-status.ts';
import { json, type Route, serveRoutes } from './routes.ts';
import { shared } from './shared.ts';
import { isProcessReady, isProcessStarted, type ProcessFacts } from './process-status.ts';

export interface Admin extends ProcessFacts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** What others may keep of the audit; undefined where there is none. */
  readonly auditSighting?: () => Sighting['audit'];
  /** Whether every listener is bound. */
  readonly isListening: () => boolean;
  /** Why callers cannot come in, if they cannot: a socket whose file is gone. */
  readonly impediment?: () => string | undefined;
  readonly observe: Observe;
}

export function createAdmin(admin: Admin): RequestListener {
  const unknown = 'this listener has health and metrics: /livez, /readyz, /status, /fleet, /metrics';
  return serveRoutes(adminRoutes(admin), { where: 'admin', unknown, observe: admin.observe });
}

const bytesOf = (value: object): Buffer => Buffer.from(JSON.stringify(value));

function adminRoutes(admin: Admin): readonly Route[] {
  const { store, clock, metrics, isListening, impediment = () => undefined, auditSighting = () => undefined } = admin;
  // The same bytes for all who ask: what they leave unread is held once.
  const sight = shared(async () => bytesOf(describeForFleet(admin.version, store.entries(), auditSighting())), clock);
  const describe = shared(async () => bytesOf(describePublicly(admin, clock.now())), clock);
  return [
    probe('/livez', 'Whether the process answers.', () => probeReply(true)),
    probe('/startupz', 'Whether every required credential was loaded once.', () =>
      probeReply(isListening() && isProcessStarted(store), 'not every required credential is loaded'),
    ),
    probe('/readyz', 'Whether callers come in, and every required credential can do what it must.', () => {
      const closed = impediment();
      return probeReply(
        closed === undefined && isProcessReady(store, clock.now()),
        closed ?? 'a required credential cannot do what it must',
      );
    }),
    probe('/readyz/{+name}', 'Whether this credential can do what it must.', ({ parameters: { name = '' } }) =>
      probeReply(isReady(store.entry(name), clock.now()), 'the credential cannot do what it must'),
    ),
    {
      ...{ method: 'GET', answersHead: true, path: '/status', type: json },
      summary: 'The process and every credential, public values only.',
      run: async () => ({ body: await describe() }),
    },
    {
      ...{ method: 'GET', path: '/fleet', type: json },
      summary: 'Which snapshot of each credential it has, for the operator.',
      run: async () => ({ body: await sight() }),
    },
    metricsRoute(metrics, clock),
  ];
}
