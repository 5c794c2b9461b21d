// How a platform is asked what became of an order, and what its response says of it.
import type { ForwardedRequest, ForwardedResponse } from './forwarding.ts';

/**
 * What became of an order. `paid`, `refunded` (also in part), `closed` and `failed` are final. `open`: it waits to be paid. `absent`: the
 * platform has no order of that number, or has none yet.
 */
export type OrderState = 'paid' | 'refunded' | 'closed' | 'failed' | 'open' | 'absent';

export const finalStates: ReadonlySet<OrderState> = new Set(['paid', 'refunded', 'closed', 'failed']);

export interface FoundOrder {
  readonly state: OrderState;
  /** In the platform's own word, where it says one. */
  readonly said?: string;
  /** The credential that was asked in place of its own. */
  readonly from?: string;
}

export type QueryRequest = ForwardedRequest & { readonly apiMethod?: string };

/** What a reconciliation asks of a platform, for the options of one credential. Pure. */
export interface Querying {
  /** Whose orders they are: equal for two interfaces of one merchant. */
  readonly ordersOf: string;
  /** @throws PaycertError `request-invalid` for what is no number of an order there */
  readonly queryOf: (number: string) => QueryRequest;
  /** Of a response that verifies, or of an error: undefined where it says nothing of the order. */
  readonly orderOf: (response: Pick<ForwardedResponse, 'status' | 'body'>, number: string) => FoundOrder | undefined;
  /** When its notifications of an order come again, in milliseconds after the first: as often it is worth asking. */
  readonly afterMilliseconds: readonly number[];
}

/** The object that a body holds; an empty one where it holds none. */
export function objectIn(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Times after the first, of pauses that each follow the one before. */
export function timesAfter(pauses: readonly number[]): readonly number[] {
  let at = 0;
  return [0, ...pauses].map((pause) => (at += pause));
}
