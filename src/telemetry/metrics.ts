// Every metric, its help text and its labels. Events count; the store is read at each scrape. The only importer of prom-client.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { Event, Observe } from '../events.ts';
import type { Store } from '../store/store.ts';
import { type GaugeRow, gauges } from './gauges.ts';
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

const credential = 'credential';

export function createMetrics({ store, clock, version, overseen }: MetricsOptions): ProcessMetrics {
  const registry = new Registry();
  const registers = [registry];
  const counters: Counter[] = [];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) => {
    const made = new Counter({ name, help, labelNames, registers });
    counters.push(made);
    return made;
  };
  const histogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new Histogram({ name, help, buckets, labelNames, registers });

  for (const [name, row] of Object.entries(gauges) as [string, GaugeRow][]) {
    new Gauge({
      name,
      help: row.help,
      labelNames: [...row.labels],
      registers,
      collect() {
        this.reset();
        const now = clock.now();
        for (const entry of store.entries()) {
          for (const { value, ...labels } of row.read(entry, now))
            this.set({ credential: entry.name, ...labels }, value);
        }
      },
    });
  }

  for (const [name, { help, labels, read }] of Object.entries(storedGauges) as [string, StoredGaugeRow][]) {
    new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers,
      collect() {
        this.reset();
        for (const { value, ...labelValues } of overseen ? read(overseen) : []) this.set(labelValues, value);
      },
    });
  }

  const reloads = counter(
    'paycert_reloads_total',
    'Attempts to make material current; reason is an error code.',
    credential,
    'outcome',
    'reason',
  );
  const reloadSeconds = histogram(
    'paycert_reload_duration_seconds',
    'How long parsing, checking and swapping took.',
    [0.005, 0.025, 0.1, 0.5, 2],
  );
  const lag = histogram(
    'paycert_change_to_current_seconds',
    'From a change at its origin to current.',
    [0.01, 0.1, 1, 10, 60, 300],
  );
  const sourceErrors = counter('paycert_source_errors_total', 'Reads of a source that failed.', credential, 'reason');
  const watchFailures = counter('paycert_watch_failures_total', 'Watches that failed and are tried again.', 'reason');
  const watchRestarts = counter('paycert_watch_restarts_total', 'Watches that were started again after a failure.');
  const leading = new Gauge({
    name: 'paycert_leading',
    help: 'Whether this process is the one of several that acts (1), or has been and is not any more (0).',
    labelNames: ['lease'],
    registers,
  });
  const reconciles = counter('paycert_operator_reconciles_total', 'Looks at one resource, by outcome.', 'outcome');
  const reconcileSeconds = histogram(
    'paycert_operator_reconcile_duration_seconds',
    'How long a look took, with the write of a status if there was one.',
    [0.005, 0.025, 0.1, 0.5, 2, 10],
  );
  const transitions = counter(
    'paycert_operator_transitions_total',
    'Conditions that changed.',
    'condition',
    'status',
    'reason',
  );
  const lostEvents = counter('paycert_operator_events_lost_total', 'Events that could not be created.', 'reason');
  const touches = counter(
    'paycert_operator_pod_touches_total',
    'Pods that were touched, so that kubelet looks at once.',
  );
  const touchFailures = counter(
    'paycert_operator_pod_touch_failures_total',
    'Rounds of touching Pods that failed.',
    'reason',
  );
  const fallbacks = counter('paycert_source_fallbacks_total', 'Changes to a fallback, of several sources.');
  const mountLag = histogram(
    'paycert_mount_lag_seconds',
    'How long a fallback, such as a mount, took to show what a better source had shown.',
    [1, 5, 15, 45, 90, 300],
  );
  const pollCorrections = counter('paycert_poll_corrections_total', 'Changes that only the poll found.', credential);
  const operations = counter(
    'paycert_operations_total',
    'Operations of the local API.',
    credential,
    'operation',
    'outcome',
  );
  const operationSeconds = histogram(
    'paycert_operation_duration_seconds',
    'How long operations took.',
    [0.001, 0.005, 0.025, 0.1, 0.8, 2.5],
    'operation',
  );
  const verificationFailures = counter(
    'paycert_verification_failures_total',
    'Signatures that were refused; reason is an error code. Probes are counted apart.',
    credential,
    'kind',
    'reason',
  );
  const probes = counter(
    'paycert_signature_probes_total',
    'WeChat Pay’s own wrong signatures, refused as they should be.',
    credential,
    'kind',
  );
  const decryptions = counter(
    'paycert_decryptions_total',
    'Decryptions by the role of the key that opened it.',
    credential,
    'role',
    'retired',
  );
  const rollbacks = counter('paycert_rollbacks_total', 'Swaps to material older than what it replaced.', credential);
  const internalErrors = counter(
    'paycert_internal_errors_total',
    'Bugs: unexpected errors, by where they were caught.',
    'where',
  );
  const configReloads = counter(
    'paycert_config_reloads_total',
    'Reads of paycert.yaml that found a change, and those of it or of the token file that were refused.',
    'outcome',
  );
  const buildInfo = new Gauge({
    name: 'paycert_build_info',
    help: 'Always 1.',
    labelNames: ['version', 'node'],
    registers,
  });
  buildInfo.set({ version, node: process.version }, 1);
  processMetrics(registers);

  // A scrape waits for it: what has gone is in none.
  let forgetting: Promise<unknown> = Promise.resolve();
  type Rows = { readonly [T in Event['type']]?: (event: Extract<Event, { type: T }>) => void };
  const rows: Rows = {
    swapped(event) {
      reloads.inc({ credential: event.credential, outcome: 'swapped', reason: '' });
      reloadSeconds.observe(event.seconds);
      if (event.changeToCurrentSeconds !== undefined) lag.observe(event.changeToCurrentSeconds);
      if (event.isRollback) rollbacks.inc({ credential: event.credential });
    },
    rejected(event) {
      if (!event.isNew) return;
      reloads.inc({ credential: event.credential, outcome: 'rejected', reason: event.error.code });
      reloadSeconds.observe(event.seconds);
    },
    'source-failed'(event) {
      sourceErrors.inc({ credential: event.credential, reason: event.error.code });
      if (event.isNew) reloads.inc({ credential: event.credential, outcome: 'failed', reason: event.error.code });
    },
    'found-by-poll': (event) => pollCorrections.inc({ credential: event.credential }),
    'source-chosen': ({ error }) => {
      if (error !== undefined) fallbacks.inc();
    },
    'fallback-caught-up': ({ seconds }) => mountLag.observe(seconds),
    leading: ({ lease, isLeading }) => leading.set({ lease }, Number(isLeading)),
    'watch-failed': ({ reason }) => watchFailures.inc({ reason }),
    'watch-restarted': () => watchRestarts.inc(),
    'internal-error': ({ where }) => internalErrors.inc({ where }),
    reconciled({ outcome, seconds }) {
      reconciles.inc({ outcome });
      if (outcome !== 'failed') reconcileSeconds.observe(seconds);
    },
    'condition-changed': ({ condition, status, reason }) => transitions.inc({ condition, status, reason }),
    'event-lost': ({ error }) => lostEvents.inc({ reason: error.code }),
    'pods-refreshed'({ pods, error }) {
      if (error) touchFailures.inc({ reason: error.code });
      else touches.inc(pods);
    },
    configured: () => configReloads.inc({ outcome: 'accepted' }),
    'config-rejected': () => configReloads.inc({ outcome: 'rejected' }),
    operated(event) {
      operations.inc({ credential: event.credential, operation: event.operation, outcome: event.outcome });
      operationSeconds.observe({ operation: event.operation }, event.seconds);
    },
    unverified({ credential: name, kind, error }) {
      if (error.code === 'signature-probe') probes.inc({ credential: name, kind });
      else verificationFailures.inc({ credential: name, kind, reason: error.code });
    },
    decrypted: ({ credential: name, role, isRetired }) =>
      decryptions.inc({ credential: name, role, retired: String(isRetired) }),
    'credential-removed'({ credential: name }) {
      forgetting = Promise.all([forgetting, forget(counters, name)]);
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

/** Series of a credential that is gone: a counter that stands still for ever would be a lie. Gauges are made at each scrape. */
async function forget(counters: readonly Counter[], name: string): Promise<void> {
  await Promise.all(
    counters.map(async (counter) => {
      const { values } = await counter.get();
      for (const { labels } of values) if (labels['credential'] === name) counter.remove(labels);
    }),
  );
}

/** What every dashboard of a process starts with, without the garbage collector's observers. */
function processMetrics(registers: Registry[]): void {
  new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time spent.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const startedAt = new Gauge({ name: 'process_start_time_seconds', help: 'When the process started.', registers });
  startedAt.set(Math.round(Date.now() / 1000 - process.uptime()));
}
