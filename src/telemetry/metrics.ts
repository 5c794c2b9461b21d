// Every metric of a process: events count, and the store is read at each scrape.
import { type MetricObject, Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { Event, Observe } from '../events.ts';
import type { Store } from '../store/store.ts';
import { counted, countEvents } from './counted/count.ts';
import type { MetricRow } from './counted/row.ts';
import { FactGauge, type Sample } from './fact-gauge.ts';
import { type GaugeRow, gauges } from './gauges.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { type Overseen, type StoredGaugeRow, storedGauges } from './stored-gauges.ts';

export interface MetricsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly version: string;
  /** What an operator knows of the credentials of its cluster. */
  readonly overseen?: Overseen;
}

export interface Description extends Pick<MetricRow, 'about' | 'help' | 'more' | 'labels'> {
  readonly name: string;
  readonly type: string;
}

export interface ProcessMetrics {
  readonly observe: Observe;
  readonly contentType: string;
  render(): Promise<string>;
  /** Every metric, for documents. */
  describe(): readonly Description[];
}

export function createMetrics({ store, clock, version, overseen }: MetricsOptions): ProcessMetrics {
  const registry = new Registry();
  for (const [name, { help, labels, read }] of Object.entries<GaugeRow>(gauges))
    new FactGauge({ name, help, labels, read: () => readEach(store, clock.now(), read) }, registry);
  for (const [name, { help, labels, read }] of Object.entries<StoredGaugeRow>(storedGauges))
    new FactGauge({ name, help, labels, read: () => (overseen ? read(overseen) : []) }, registry);
  const { count, forget } = countEvents(registry);
  addProcessMetrics(registry, version);

  // A scrape waits for it: what has gone is in none.
  let forgetting: Promise<unknown> = Promise.resolve();
  return {
    observe(event) {
      if (event.type === 'credential-removed') forgetting = Promise.all([forgetting, forget(event.credential)]);
      else if (!isGone(event, store)) count(event);
    },
    contentType: registry.contentType,
    async render() {
      await forgetting;
      return registry.metrics();
    },
    describe: () => registry.getMetricsAsArray().map(describe),
  };
}

const rows: Readonly<Record<string, MetricRow>> = { ...gauges, ...storedGauges, ...counted };

/** Those of the process itself have no row. */
function describe(metric: MetricObject): Description {
  const {
    name,
    help,
    type,
    labelNames = [],
  } = metric as unknown as Record<'name' | 'help' | 'type', string> & {
    readonly labelNames?: readonly string[];
  };
  const { about = 'process', more } = rows[name] ?? {};
  return { name, type, help, labels: labelNames, about, ...(more !== undefined && { more }) };
}

/** An operation may end after its credential has gone: counted then, its series would stay for ever. */
const isGone = (event: Event, store: Store): boolean =>
  'credential' in event && event.type !== 'internal-error' && !store.has(event.credential);

function* readEach(store: Store, now: Date, read: GaugeRow['read']): Generator<Sample> {
  for (const entry of store.entries())
    for (const sample of read(entry, now)) yield { credential: entry.name, ...sample };
}
