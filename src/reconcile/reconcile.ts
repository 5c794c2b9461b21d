// Asks until the state of each order is final: at the times at which its platform's notifications would come, so many at once.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { finalStates, type FoundOrder, type OrderState } from '../providers/querying.ts';

/** What is known of one order when it is asked for no more: its state, whether that is final, and why not. */
export interface Reconciled {
  /** The merchant's number. */
  readonly order: string;
  /** As of the last response; `unknown` where none has said it. */
  readonly state: OrderState | 'unknown';
  /** The platform's own word for it. */
  readonly said?: string;
  /** The credential that said it, where it is another interface of the same merchant. */
  readonly from?: string;
  /** False: it is still open, and has to be asked for again another time. */
  readonly isFinal: boolean;
  /** How often this run has asked. */
  readonly queries: number;
  /** When it was asked for first, also by an earlier run. */
  readonly firstAt: Date;
  readonly at: Date;
  /** Why the last query said nothing. */
  readonly error?: PaycertError;
}

export interface ReconcileOptions {
  /** Of one order, now. @throws PaycertError */
  readonly query: (order: string, signal: AbortSignal) => Promise<FoundOrder | undefined>;
  readonly clock: Clock;
  /** When it is asked, in milliseconds after the first time, ascending. */
  readonly afterMilliseconds: readonly number[];
  /** Ends the run: what is not final by then is reported as open. */
  readonly signal: AbortSignal;
  /** When earlier runs asked first, by order. */
  readonly firstAt?: ReadonlyMap<string, Date>;
  /** Receives each order before it is asked for first, by this run. */
  readonly begun?: (order: string, firstAt: Date) => void;
  /** Receives each order once, when its state is final or the last query is made. */
  readonly settled: (reconciled: Reconciled) => void;
  /** Orders that wait for their next query; the next number is taken when there is room. */
  readonly mostOrders?: number;
  /** Queries at once. */
  readonly mostQueries?: number;
}

export interface Summary {
  readonly final: number;
  readonly open: number;
}

/** A number that comes twice is one order. Rejects with what the source of the numbers rejects with, after what it gave is settled. */
export async function reconcile(
  orders: AsyncIterable<string> | Iterable<string>,
  options: ReconcileOptions,
): Promise<Summary> {
  const { settled, signal, mostOrders = 1000, mostQueries = 8 } = options;
  const [room, turns] = [new Places(mostOrders), new Places(mostQueries)];
  const known = new Set<string>();
  const counts = { final: 0, open: 0 };
  const underWay = new Set<Promise<void>>();
  const follow = async (order: string): Promise<void> => {
    const reconciled = await followOrder(order, turns, options);
    counts[reconciled.isFinal ? 'final' : 'open'] += 1;
    settled(reconciled);
  };
  try {
    for await (const order of orders) {
      if (known.has(order)) continue;
      known.add(order);
      await room.enter();
      const following = follow(order).finally(() => {
        room.leave();
        underWay.delete(following);
      });
      underWay.add(following);
      if (signal.aborted) break;
    }
  } finally {
    await Promise.all(underWay);
  }
  return counts;
}

async function followOrder(order: string, turns: Places, options: ReconcileOptions): Promise<Reconciled> {
  const { clock, afterMilliseconds, signal, query } = options;
  const begun = clock.now();
  const firstAt = options.firstAt?.get(order) ?? begun;
  options.begun?.(order, firstAt);
  const elapsed = begun.getTime() - firstAt.getTime();
  // What is due already is asked once, now.
  const later = afterMilliseconds.filter((after) => after > elapsed);
  let last: Pick<Reconciled, 'state' | 'said' | 'from' | 'error'> = { state: 'unknown' };
  let queries = 0;
  const result = (isFinal: boolean): Reconciled => ({ order, ...last, isFinal, queries, firstAt, at: clock.now() });
  for (const after of [elapsed, ...later]) {
    const pause = firstAt.getTime() + after - clock.now().getTime();
    await sleepLong(clock, pause, signal);
    if (signal.aborted) break;
    await turns.enter();
    try {
      queries += 1;
      const found = await query(order, signal);
      last = found ?? { ...last, error: unreadable };
      if (found !== undefined && finalStates.has(found.state)) return result(true);
    } catch (error) {
      if (!(error instanceof PaycertError)) throw error;
      last = { ...last, error };
      // No other time makes it a number of an order, or a credential that can be asked about one.
      if (error.kind === 'request' && error.code !== 'caller-gone') return result(false);
    } finally {
      turns.leave();
    }
  }
  return result(false);
}

const unreadable = new PaycertError('response-unverified', 'the platform’s response says nothing of the order');

/** A clock sleeps an hour at most. */
async function sleepLong(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  const end = clock.now().getTime() + milliseconds;
  for (let left = milliseconds; left > 0 && !signal.aborted; left = end - clock.now().getTime())
    await clock.sleep(left, signal);
}

/** So many at once; the others wait in order. */
class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  async enter(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((enter) => this.#waiting.push(enter));
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
