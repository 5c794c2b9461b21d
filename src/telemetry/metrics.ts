// Every metric of a process: events count, and the store is read at each scrape.
import { Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { Event, Observe } from '../events.ts';
import type { Store } from '../store/store.ts';
import { createCounters } from './counters.ts';
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

export interface ProcessMetrics {
  readonly observe: Observe;
  readonly contentType: string;
  render(): Promise<string>;
  /** Every metric's name, help and labels, for the test that compares them with docs/metrics.md. */
  describe(): readonly { readonly name: string; readonly help: string; readonly labels: readonly string[] }[];
}

export function createMetrics({ store, clock, version, overseen }: MetricsOptions): ProcessMetrics {
  const registry = new Registry();
  for (const [name, { help, labels, read }] of Object.entries(gauges) as [string, GaugeRow][])
    new FactGauge({ name, help, labels, read: () => readEach(store, clock.now(), read) }, registry);
  for (const [name, { help, labels, read }] of Object.entries(storedGauges) as [string, StoredGaugeRow][])
    new FactGauge({ name, help, labels, read: () => (overseen ? read(overseen) : []) }, registry);
  const counters = createCounters(registry);
  addProcessMetrics(registry, version);

  // A scrape waits for it: what has gone is in none.
  let forgetting: Promise<unknown> = Promise.resolve();
  type Rows = { readonly [T in Event['type']]?: (event: Extract<Event, { type: T }>) => void };
  const rows: Rows = {
    swapped(event) {
      counters.reloads.inc({ credential: event.credential, outcome: 'swapped', reason: '' });
      counters.reloadSeconds.observe(event.seconds);
      if (event.changeToCurrentSeconds !== undefined) counters.lag.observe(event.changeToCurrentSeconds);
      if (event.isRollback) counters.rollbacks.inc({ credential: event.credential });
    },
    rejected(event) {
      if (!event.isNew) return;
      counters.reloads.inc({ credential: event.credential, outcome: 'rejected', reason: event.error.code });
      counters.reloadSeconds.observe(event.seconds);
    },
    deferred(event) {
      if (!event.isNew) return;
      counters.reloads.inc({ credential: event.credential, outcome: 'deferred', reason: event.error.code });
      counters.reloadSeconds.observe(event.seconds);
    },
    'source-failed'(event) {
      counters.sourceErrors.inc({ credential: event.credential, reason: event.error.code });
      if (event.isNew)
        counters.reloads.inc({ credential: event.credential, outcome: 'failed', reason: event.error.code });
    },
    'found-by-poll': (event) => counters.pollCorrections.inc({ credential: event.credential }),
    'source-chosen': ({ error }) => {
      if (error !== undefined) counters.fallbacks.inc();
    },
    'fallback-caught-up': ({ seconds }) => counters.mountLag.observe(seconds),
    leading: ({ lease, isLeading }) => counters.leading.set({ lease }, Number(isLeading)),
    'watch-failed': ({ reason }) => counters.watchFailures.inc({ reason }),
    'watch-restarted': () => counters.watchRestarts.inc(),
    'internal-error': ({ where }) => counters.internalErrors.inc({ where }),
    reconciled({ outcome, seconds }) {
      counters.reconciles.inc({ outcome });
      if (outcome !== 'failed') counters.reconcileSeconds.observe(seconds);
    },
    'condition-changed': ({ condition, status, reason }) => counters.transitions.inc({ condition, status, reason }),
    'event-lost': ({ error }) => counters.lostEvents.inc({ reason: error.code }),
    'pods-refreshed'({ pods, error }) {
      if (error) counters.touchFailures.inc({ reason: error.code });
      else counters.touches.inc(pods);
    },
    'lines-dropped': ({ lines }) => counters.droppedLines.inc(lines),
    configured: () => counters.configReloads.inc({ outcome: 'accepted' }),
    'config-rejected': () => counters.configReloads.inc({ outcome: 'rejected' }),
    operated(event) {
      counters.operations.inc({ credential: event.credential, operation: event.operation, outcome: event.outcome });
      counters.operationSeconds.observe({ operation: event.operation }, event.seconds);
    },
    unverified({ credential: name, kind, error }) {
      if (error.code === 'signature-probe') counters.probes.inc({ credential: name, kind });
      else counters.verificationFailures.inc({ credential: name, kind, reason: error.code });
    },
    decrypted: ({ credential: name, role, isRetired }) =>
      counters.decryptions.inc({ credential: name, role, retired: String(isRetired) }),
    'credential-removed'({ credential: name }) {
      forgetting = Promise.all([forgetting, counters.forget(name)]);
    },
  };
  /** An operation may end after its credential has gone: counted then, its series would stand for ever. */
  const isGone = (event: Event) =>
    'credential' in event &&
    event.type !== 'credential-removed' &&
    event.type !== 'internal-error' &&
    !store.has(event.credential);

  return {
    observe(event) {
      if (!isGone(event)) (rows[event.type] as ((event: Event) => void) | undefined)?.(event);
    },
    contentType: registry.contentType,
    async render() {
      await forgetting;
      return registry.metrics();
    },
    describe: () =>
      registry.getMetricsAsArray().map((metric) => {
        const {
          name,
          help,
          labelNames = [],
        } = metric as unknown as { name: string; help: string; labelNames?: string[] };
        return { name, help, labels: labelNames };
      }),
  };
}

function* readEach(store: Store, now: Date, read: GaugeRow['read']): Generator<Sample> {
  for (const entry of store.entries())
    for (const sample of read(entry, now)) yield { credential: entry.name, ...sample };
}
