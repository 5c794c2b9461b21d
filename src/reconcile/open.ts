// What a reconciliation sends with: a gateway client of its own, so that queries take no turn of payments.
import { defaults, milliseconds } from '../config/defaults.ts';
import type { Clock } from '../clock.ts';
import type { Observe } from '../events.ts';
import { GatewayClient } from '../gateway/client.ts';
import { openConnections } from '../gateway/connections.ts';
import type { Learn } from '../gateway/proving.ts';
import type { WayOut } from '../gateway/way-out.ts';
import type { Around } from '../store/call.ts';
import type { Store } from '../store/store.ts';
import type { Trace } from '../trace.ts';
import { assertSameOrders, withFallback } from './fallback.ts';
import { type OrderQuery, orderQuery } from './query.ts';

export interface OpenOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly around: Around;
  readonly credential: string;
  readonly learn?: Learn | undefined;
  /** The proxy on the way out, where there is one. */
  readonly wayOut?: WayOut | undefined;
  /** Begins the trace of one query; undefined where nothing is traced. */
  readonly traceOf?: (() => Trace | undefined) | undefined;
  /** The origin of a platform double. */
  readonly double?: string | undefined;
  /** Another interface of the same merchant, which is asked where this one says nothing. */
  readonly instead?:
    { readonly store: Store; readonly credential: string; readonly double?: string | undefined } | undefined;
}

export interface OpenQueries {
  readonly query: OrderQuery;
  close(): Promise<void>;
}

/** @throws PaycertError `package-missing`; `request-invalid` where the two are not of one merchant */
export async function openQueries(options: OpenOptions): Promise<OpenQueries> {
  const { instead, credential, observe } = options;
  if (instead === undefined) return openOne(options);
  assertSameOrders(options, instead);
  const [own, other] = [await openOne(options), await openOne({ ...options, ...instead })];
  const first = { credential, query: own.query };
  return {
    query: withFallback({ first, instead: { credential: instead.credential, query: other.query }, observe }),
    async close() {
      await Promise.all([own.close(), other.close()]);
    },
  };
}

async function openOne(options: OpenOptions): Promise<OpenQueries> {
  const { store, clock, observe, wayOut, learn } = options;
  const connections = await openConnections(wayOut);
  const gateway = new GatewayClient({
    ...{ store, clock, observe, connections, learn, random: Math.random, attempts: defaults.attempts },
    milliseconds: () => performance.now(),
    deadlineMilliseconds: milliseconds(defaults.deadline),
    breaker: {
      failurePercent: defaults.failurePercent,
      minimumCalls: defaults.minimumCalls,
      openMilliseconds: milliseconds(defaults.openFor),
    },
    bulkhead: { concurrent: defaults.concurrent, queued: defaults.queued },
  });
  return {
    query: orderQuery({ ...options, gateway }),
    async close() {
      gateway.close();
      await connections.close();
    },
  };
}
