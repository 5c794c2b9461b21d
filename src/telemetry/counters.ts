// What counts events: names, help texts, labels and buckets.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const credential = 'credential';

export function createCounters(registry: Registry) {
  const registers = [registry];
  const counters: Counter[] = [];
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) => {
    const made = new Counter({ name, help, labelNames, registers });
    counters.push(made);
    return made;
  };
  const histogram = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new Histogram({ name, help, buckets, labelNames, registers });

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

  const droppedLines = counter(
    'paycert_log_lines_dropped_total',
    'Log lines that standard output did not take: its disk is full, or its reader is slow or gone.',
  );

  return {
    reloads,
    reloadSeconds,
    lag,
    sourceErrors,
    watchFailures,
    watchRestarts,
    leading,
    reconciles,
    reconcileSeconds,
    transitions,
    lostEvents,
    touches,
    touchFailures,
    fallbacks,
    mountLag,
    pollCorrections,
    operations,
    operationSeconds,
    verificationFailures,
    probes,
    decryptions,
    rollbacks,
    internalErrors,
    configReloads,
    droppedLines,
    /** Series of a credential that is gone: a counter that stands still for ever would be a lie. Gauges are made at each scrape. */
    async forget(name: string): Promise<void> {
      await Promise.all(
        counters.map(async (counter) => {
          const { values } = await counter.get();
          for (const { labels } of values) if (labels['credential'] === name) counter.remove(labels);
        }),
      );
    },
  };
}
