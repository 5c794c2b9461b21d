// One query of an order: signed, sent through the gateway client, and read only if its response verifies.
import { Readable } from 'node:stream';
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Attempt } from '../gateway/attempt.ts';
import type { GatewayClient } from '../gateway/client.ts';
import type { FoundOrder, Querying } from '../providers/querying.ts';
import type { AbortableCall, Around } from '../store/call.ts';
import type { Entry, Store } from '../store/store.ts';
import type { Trace } from '../trace.ts';

export interface QueryOptions {
  readonly store: Store;
  readonly gateway: GatewayClient;
  readonly clock: Clock;
  readonly around: Around;
  readonly credential: string;
  /** Of a platform double, in place of the platform's own. */
  readonly double?: string | undefined;
  /** Begins the trace of one query; undefined where nothing is traced. */
  readonly traceOf?: (() => Trace | undefined) | undefined;
}

export type OrderQuery = (order: string, signal: AbortSignal) => Promise<FoundOrder | undefined>;

/** @throws PaycertError `operation-unsupported` where orders of that credential cannot be queried */
export function queryingOf(entry: Entry): Querying {
  if (entry.querying === undefined)
    throw new PaycertError('operation-unsupported', `orders of ${entry.name} cannot be queried at its platform`);
  return entry.querying;
}

export function orderQuery({ store, gateway, clock, around, credential, double, traceOf }: QueryOptions): OrderQuery {
  return async (order, signal) => {
    const entry = store.entry(credential);
    const { queryOf, orderOf } = queryingOf(entry);
    const { forwarding, origins: [own] = [] } = entry;
    const origin = double ?? own;
    if (forwarding === undefined || origin === undefined) return undefined;
    const { apiMethod, ...request } = queryOf(order);
    const trace = traceOf?.();
    const call: AbortableCall = {
      ...{ id: randomUUID(), caller: { listener: 'reconcile' }, credential, operation: 'forward' },
      ...{ startedAt: clock.now(), signal, ...(trace && { trace }) },
    };
    const attempts: Attempt[] = [];
    const spare = double === undefined ? forwarding.spares?.[origin] : undefined;
    const sent = { origin, spare, forwarding, request, apiMethod, attempts };
    const { status, body, verified } = await around(call, () => gateway.send(call, sent));
    if (body instanceof Readable) {
      body.on('error', () => undefined).destroy();
      return undefined;
    }
    const found = orderOf({ status, body }, order);
    // What is not signed decides nothing: an order that is said not to be there is asked for again.
    return verified === 'yes' || found?.state === 'absent' ? found : undefined;
  };
}
