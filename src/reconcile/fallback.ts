// An order that one interface of a platform says nothing of is asked for at another one of the same merchant: by a query, never a payment.
import { PaycertError, requestInvalid } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { Store } from '../store/store.ts';
import { type OrderQuery, queryingOf } from './query.ts';

export interface FallbackOptions {
  /** Those that are asked first, and instead. */
  readonly first: { readonly credential: string; readonly query: OrderQuery };
  readonly instead: { readonly credential: string; readonly query: OrderQuery };
  readonly observe: Observe;
}

/** @throws PaycertError `request-invalid` where the two do not have the same orders, `operation-unsupported` */
export function assertSameOrders(first: Named, instead: Named): void {
  const [own, other] = [first, instead].map(({ store, credential }) => queryingOf(store.entry(credential)));
  if (own?.ordersOf === other?.ordersOf && first.credential !== instead.credential) return;
  throw requestInvalid('fallback', 'is no other interface of the same merchant');
}

interface Named {
  readonly store: Store;
  readonly credential: string;
}

/** What it says of its own way first: only where that says nothing, or fails, is the other one asked. */
export function withFallback({ first, instead, observe }: FallbackOptions): OrderQuery {
  return async (order, signal) => {
    let failed: PaycertError | undefined;
    try {
      const found = await first.query(order, signal);
      if (found !== undefined) return found;
    } catch (error) {
      if (!(error instanceof PaycertError) || !isAboutTheWay.has(error.kind) || signal.aborted) throw error;
      failed = error;
    }
    observe({
      type: 'query-fell-back',
      ...{ credential: first.credential, instead: instead.credential },
      ...(failed && { error: failed }),
    });
    const found = await instead.query(order, signal);
    if (found !== undefined) return { ...found, from: instead.credential };
    if (failed !== undefined) throw failed;
    return undefined;
  };
}

/** And not about the order. */
const isAboutTheWay: ReadonlySet<PaycertError['kind']> = new Set(['gateway', 'not-ready']);
