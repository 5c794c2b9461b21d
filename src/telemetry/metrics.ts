// Every metric of a process: events count, and the store is read at each scrape.
import { type MetricObject, Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { Event, Observe } from '../events.ts';
import type { Store } from '../store/store.ts';
import { Turns } from '../turns.ts';
import { type AuditHead, auditGauges } from './audit-gauges.ts';
import { counted, countEvents } from './counted/count.ts';
import type { MetricRow } from './counted/row.ts';
import { FactGauge, type Sample } from './fact-gauge.ts';
import { type GaugeRow, gauges } from './gauges.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { type EntryFacts, SteadyEntries } from './steady-entries.ts';
import { type Overseen, type StoredGaugeRow, storedGauges } from './stored-gauges.ts';

export interface MetricsOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly version: string;
  /** What an operator knows of the credentials of its cluster. */
  readonly overseen?: Overseen;
  /** The last line of the audit, where there is one. */
  readonly auditHead?: () => AuditHead | undefined;
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

/** Of text, which takes a few milliseconds to write. */
const charactersInTurn = 64 * 1024;

export function createMetrics({ store, clock, version, overseen, auditHead }: MetricsOptions): ProcessMetrics {
  const heads = () => [auditHead?.()].filter((head) => head !== undefined);
  const operators = overseen === undefined ? [] : [overseen];
  const steady = new SteadyEntries();
  const ofEntries = Object.entries<GaugeRow>(gauges).map(([name, { help, labels, read, isLive = false }]) => {
    const ofEntry = (entry: EntryFacts) => withCredential(entry.name, read(entry, clock.now()));
    return new FactGauge({ name, help, labels, subjects: () => steady.of(store.entries()), read: ofEntry, isLive });
  });
  const others = [
    ...Object.entries<StoredGaugeRow>(storedGauges).map(
      ([name, { help, labels, read }]) =>
        new FactGauge({ name, help, labels, subjects: () => operators, read, isLive: true }),
    ),
    ...Object.entries(auditGauges).map(
      ([name, { help, labels, read }]) => new FactGauge({ name, help, labels, subjects: heads, read, isLive: false }),
    ),
  ];
  const registry = new Registry();
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
      // As of one moment, though it is written in several turns: an entry is replaced, and never changed.
      const entries = steady.of(store.entries());
      const writers: readonly (() => string | Promise<string>)[] = [
        ...ofEntries.map((gauge) => () => gauge.text(entries)),
        ...others.map((gauge) => () => gauge.text()),
        ...registry
          .getMetricsAsArray()
          .map((metric) => () => registry.getSingleMetricAsString(descriptionOf(metric).name)),
      ];
      const turns = new Turns(charactersInTurn);
      const texts: string[] = [];
      for (const write of writers) {
        const text = await write();
        texts.push(text);
        const pause = turns.step(text.length);
        if (pause) await pause;
      }
      return `${texts.join('\n\n')}\n`;
    },
    describe: () => [
      ...[...ofEntries, ...others].map(({ description }) => describe({ ...description, type: 'gauge' })),
      ...registry.getMetricsAsArray().map((metric) => describe(descriptionOf(metric))),
    ],
  };
}

const rows: Readonly<Record<string, MetricRow>> = { ...gauges, ...storedGauges, ...auditGauges, ...counted };

type Own = Pick<Description, 'name' | 'type' | 'help' | 'labels'>;

/** Those of the process itself have no row. */
function describe(own: Own): Description {
  const { about = 'process', more } = rows[own.name] ?? {};
  return { ...own, about, ...(more !== undefined && { more }) };
}

function descriptionOf(metric: MetricObject): Own {
  const { name, help, type, labelNames } = metric as unknown as Omit<Own, 'labels'> & {
    readonly labelNames?: Own['labels'];
  };
  return { name, help, type, labels: labelNames ?? [] };
}

/** An operation may end after its credential has gone: counted then, its series would stay for ever. */
const isGone = (event: Event, store: Store): boolean =>
  'credential' in event && event.type !== 'internal-error' && !store.has(event.credential);

const withCredential = (credential: string, samples: readonly Sample[]): readonly Sample[] =>
  samples.map((sample) => ({ credential, ...sample }));
