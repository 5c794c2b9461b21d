// paycert reconcile: asks the platform about orders whose notification never came, until the state of each is final.
import { systemClock } from '../../clock.ts';
import { readConfig } from '../../config/read.ts';
import { readToken } from '../../config/token.ts';
import type { Event } from '../../events.ts';
import { openQueries } from '../../reconcile/open.ts';
import { queryingOf } from '../../reconcile/query.ts';
import { reconcile as reconcileOrders, type Reconciled } from '../../reconcile/reconcile.ts';
import { wayOutOf } from '../../running/way-out.ts';
import type { Tracing, TracingDependencies } from '../../otlp/tracing.ts';
import { aroundEach } from '../../store/call.ts';
import { namesCollector } from '../../trace.ts';
import { type Invocation, required, text, usageError } from '../command.ts';
import { duration } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { print } from '../table.ts';
import { openJournal } from './journal.ts';
import { type LoadedCredential, loadCredential } from './load.ts';
import { fetchOrders, readOrders } from './orders.ts';

/** Exit code 0: every state is final. 75: some order is still open. @throws PaycertError `usage`, `credential-not-loaded` */
export async function reconcile({
  values,
  positionals: [credential = '', file],
  signal,
  version,
}: Invocation): Promise<number> {
  const orders = text(values, 'orders');
  if (orders !== undefined && file !== undefined) throw usageError('give a file or --orders, not both');
  const tokenFile = text(values, 'orders-token-file');
  const clock = systemClock;
  const config = await readConfig(required(values, 'config'));
  const journal = await openJournal(text(values, 'journal'));
  const wayOut = await wayOutOf(config.wayOut);
  const loading = { clock, environment: process.env, signal, wayOut };
  // What is open already when the rest is refused would keep the process.
  await using opened = new AsyncDisposableStack();
  const load = async (name: string): Promise<LoadedCredential> => {
    const one = await loadCredential(config, name, loading);
    opened.defer(() => one.stop());
    return one;
  };
  const loaded = await load(credential);
  const { store } = loaded;
  const fallback = text(values, 'fallback');
  const other = fallback === undefined ? undefined : await load(fallback);
  let fallbacks = 0;
  const observe = (event: Event) => {
    fallbacks += Number(event.type === 'query-fell-back');
    tracing?.observe(event);
    for (const one of [loaded, other]) one?.noticed(event);
  };
  const tracing = await tracingOf({ clock, observe, version, providerOf: (name) => providerOf(name, [loaded, other]) });
  opened.defer(async () => tracing?.close());
  const around = aroundEach({ observe, milliseconds: () => performance.now(), most: mostCalls });
  const doubleOf = (name: string) => config.proxy?.routes?.find((route) => route.credential === name)?.double;
  const instead = other && fallback !== undefined ? { store: other.store, credential: fallback, double: doubleOf(fallback) } : undefined; // prettier-ignore
  const queries = await openQueries({
    store,
    clock,
    observe,
    around,
    credential,
    wayOut,
    learn: async (...asked) => (await loaded.learn(...asked)) || (await other?.learn(...asked)) === true,
    traceOf: () => tracing?.traceOf({}),
    double: doubleOf(credential),
    instead,
  });
  opened.defer(() => queries.close());
  // What it takes to start is not a part of that time.
  const ending = endOf(text(values, 'for'), signal);
  const { afterMilliseconds } = queryingOf(store.entry(credential));
  const token = tokenFile === undefined ? undefined : await readToken(tokenFile, 'token', '--orders-token-file');
  const numbers = orders === undefined ? readOrders(file) : await fetchOrders(orders, token, ending);
  const { open } = await reconcileOrders(notIn(journal.settled, numbers), {
    ...{ query: queries.query, clock, signal: ending, firstAt: journal.firstAt },
    afterMilliseconds: timesIn(text(values, 'after')) ?? afterMilliseconds,
    begun: (order, firstAt) => journal.note({ order, firstAt, isFinal: false }),
    settled(reconciled) {
      journal.note(reconciled);
      print(JSON.stringify(describe(credential, reconciled)));
    },
  });
  if (fallback !== undefined && fallbacks > 0)
    process.stderr.write(`${credential} said nothing of an order ${String(fallbacks)} times: ${fallback} was asked\n`);
  return open > 0 ? exitCodes['not-ready'] : 0;
}

const mostCalls = 64;

/** Where the environment names a collector. */
async function tracingOf(dependencies: Omit<TracingDependencies, 'environment'>): Promise<Tracing | undefined> {
  if (!namesCollector(process.env)) return undefined;
  const { startTracing } = await import('../../otlp/tracing.ts');
  return startTracing({ ...dependencies, environment: process.env });
}

const providerOf = (name: string, all: readonly (LoadedCredential | undefined)[]): string | undefined =>
  all.flatMap((one) => (one?.store.has(name) === true ? one.store.entry(name).provider : []))[0];

async function* notIn(
  settled: ReadonlySet<string>,
  numbers: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<string> {
  for await (const number of numbers) if (!settled.has(number)) yield number;
}

/** At the end of that time, or when the process is asked to end. */
function endOf(within: string | undefined, signal: AbortSignal): AbortSignal {
  if (within === undefined) return signal;
  return AbortSignal.any([signal, AbortSignal.timeout(duration(within, 'for'))]);
}

/** `0s,15s,30s`: after the first time. */
function timesIn(list: string | undefined): readonly number[] | undefined {
  const times = list?.split(',').map((one) => duration(one.trim(), 'after'));
  if (times?.some((time, index) => index > 0 && time <= (times[index - 1] ?? 0)) === true)
    throw usageError('--after is times that ascend, such as 0s,15s,30s,3m');
  return times;
}

const describe = (
  credential: string,
  { order, state, said, from, isFinal, queries, firstAt, at, error }: Reconciled,
) => ({
  ...{ order, credential, state, final: isFinal, said, from, queries, firstAt, at },
  ...(error && { code: error.code, detail: error.message }),
});
