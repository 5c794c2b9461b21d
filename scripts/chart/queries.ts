// What the dashboard asks Prometheus: one row per panel. Those of the operator need an operator; the rest a sidecar.

import { current, type Panel, scope, stored } from './panel.ts';

const by = (...labels: string[]) => `by (${labels.join(', ')})`;
const rejected = `${scope},outcome="rejected"`;
const small = { width: 6, height: 4 } as const;
const half = { width: 12, height: 8 } as const;

/**
 * Series of a counter that began in a window: its first sample is 1, of which `increase` sees nothing. A quarter of an hour without a scrape
 * begins no series again. `but`: what is left out of them.
 */
const bornWithin = (window: string, counter: string, but = '') =>
  `(${counter}{${scope}${but}} unless last_over_time(${counter}{${scope}}[15m] offset ${window}))`;

/** Attempts without success: a pod begins with a swap, which is no reload. */
const failedReloadsBorn = (window: string) => bornWithin(window, 'paycert_reloads_total', ',outcome!="swapped"');

const breakerOpenings = 'paycert_gateway_breaker_openings_total';

export const panels: readonly Panel[] = [
  {
    title: 'Days to the next expiry',
    text: 'Of what sidecars have in memory.',
    kind: 'stat',
    unit: 'd',
    ...small,
    from: 'sidecar',
    queries: [
      {
        expr: `(min(paycert_certificate_not_after_timestamp_seconds{${scope},${current}}) - time()) / 86400`,
        legend: '',
      },
    ],
  },
  {
    title: 'Sidecars not ready',
    text: 'Credentials that cannot do what they must, counted in every sidecar.',
    kind: 'stat',
    ...small,
    from: 'sidecar',
    queries: [{ expr: `sum(1 - paycert_credential_ready{${scope}})`, legend: '' }],
  },
  {
    title: 'Newest material not current',
    text: 'Sidecars in which it was rejected, or cannot be read.',
    kind: 'stat',
    ...small,
    from: 'sidecar',
    queries: [{ expr: `sum(1 - paycert_reload_last_successful{${scope}})`, legend: '' }],
  },
  {
    title: 'Leading operators',
    text: 'One is right.',
    kind: 'stat',
    ...small,
    from: 'operator',
    queries: [{ expr: 'sum(paycert_leading)', legend: '' }],
  },
  {
    title: 'Days to expiry',
    text: 'Per credential and role, the earliest of all sidecars.',
    kind: 'table',
    unit: 'd',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `(min ${by('namespace', 'credential', 'role')} (paycert_certificate_not_after_timestamp_seconds{${scope},${current}}) - time()) / 86400`,
        legend: '',
      },
    ],
  },
  {
    title: 'Days to expiry over time',
    text: 'A step up is a renewal that arrived.',
    kind: 'timeseries',
    unit: 'd',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `(min ${by('namespace', 'credential', 'role')} (paycert_certificate_not_after_timestamp_seconds{${scope},${current}}) - time()) / 86400`,
        legend: '{{namespace}}/{{credential}} {{role}}',
      },
    ],
  },
  {
    title: 'Reloads',
    text: 'Attempts in an hour, by outcome; the reason is an error code.',
    kind: 'timeseries',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `sum ${by('credential', 'outcome', 'reason')} (${failedReloadsBorn('1h')} or increase(paycert_reloads_total{${scope}}[1h]))`,
        legend: '{{credential}} {{outcome}} {{reason}}',
      },
    ],
  },
  {
    title: 'From a change to current',
    text: 'Half of the changes, and 99 of 100, are current after so long.',
    kind: 'timeseries',
    unit: 's',
    ...half,
    from: 'sidecar',
    queries: [0.5, 0.99].map((quantile) => ({
      expr: `histogram_quantile(${quantile}, sum ${by('le')} (increase(paycert_change_to_current_seconds_bucket{namespace=~"$namespace"}[1h])))`,
      legend: `p${quantile * 100}`,
    })),
  },
  {
    title: 'Operations',
    text: 'Per second.',
    kind: 'timeseries',
    unit: 'ops',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `sum ${by('credential', 'operation')} (rate(paycert_operations_total{${scope}}[5m]))`,
        legend: '{{credential}} {{operation}}',
      },
    ],
  },
  {
    title: 'Operations that did not succeed',
    text: 'Per second. `caller-error` is the application’s; `refused` is the right answer to a wrong signature.',
    kind: 'timeseries',
    unit: 'ops',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `sum ${by('credential', 'operation', 'outcome')} (rate(paycert_operations_total{${scope},outcome!="ok"}[5m]))`,
        legend: '{{credential}} {{operation}} {{outcome}}',
      },
    ],
  },
  {
    title: 'Could not be opened',
    text: 'Since something of its kind was opened last. A notification is signed by the platform: a key is missing here.',
    kind: 'timeseries',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `sum ${by('namespace', 'credential', 'kind', 'reason')} (paycert_unopened{${scope}})`,
        legend: '{{namespace}}/{{credential}} {{kind}} {{reason}}',
      },
    ],
  },
  {
    title: 'Duration of operations, p99',
    text: 'Waiting for a turn included.',
    kind: 'timeseries',
    unit: 's',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `histogram_quantile(0.99, sum ${by('operation', 'le')} (rate(paycert_operation_duration_seconds_bucket{namespace=~"$namespace"}[5m])))`,
        legend: '{{operation}}',
      },
    ],
  },
  {
    title: 'Pods by snapshot id',
    text: 'One line per credential is right; two for a minute after a rotation are too.',
    kind: 'timeseries',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `count ${by('namespace', 'credential', 'snapshot_id')} (paycert_snapshot_info{${scope}})`,
        legend: '{{namespace}}/{{credential}} {{snapshot_id}}',
      },
    ],
  },
  {
    title: 'Stored: days to expiry',
    text: 'Of what is in Secrets, as the operator sees it.',
    kind: 'table',
    unit: 'd',
    ...half,
    from: 'operator',
    queries: [
      {
        expr: `(max ${by('credential_namespace', 'kind', 'credential', 'role')} (paycert_stored_certificate_not_after_timestamp_seconds{${stored},${current}}) - time()) / 86400`,
        legend: '',
      },
    ],
  },
  {
    title: 'Stored: ready',
    text: 'Per PaymentCredential or labelled Secret: a line at 1 while what is stored can do what it must.',
    kind: 'timeseries',
    ...half,
    from: 'operator',
    queries: [
      {
        expr: `max ${by('credential_namespace', 'kind', 'credential')} (paycert_credential_condition{${stored},condition="Ready",status="True"})`,
        legend: '{{kind}} {{credential_namespace}}/{{credential}}',
      },
    ],
  },
  {
    title: 'Days until keys are too old',
    text: 'Keys with a maxAge: of all sidecars, the one that has known the key the longest.',
    kind: 'table',
    unit: 'd',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `(min ${by('namespace', 'credential', 'role')} (paycert_key_replace_by_timestamp_seconds{${scope}}) - time()) / 86400`,
        legend: '',
      },
    ],
  },
  {
    title: 'Stored: days until keys are too old',
    text: 'Since they were first seen, as the status of each PaymentCredential keeps it.',
    kind: 'table',
    unit: 'd',
    ...half,
    from: 'operator',
    queries: [
      {
        expr: `(min ${by('credential_namespace', 'kind', 'credential', 'role')} (paycert_stored_key_replace_by_timestamp_seconds{${stored}}) - time()) / 86400`,
        legend: '',
      },
    ],
  },
  {
    title: 'Proxy: calls by outcome',
    text: 'unknown: the platform may have done it, and somebody must query.',
    kind: 'timeseries',
    unit: 'reqps',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `sum ${by('credential', 'outcome', 'status')} (rate(paycert_forwarded_total{${scope}}[5m]))`,
        legend: '{{credential}} {{outcome}} {{status}}',
      },
    ],
  },
  {
    title: 'Proxy: attempts by host',
    text: 'Calls that go to a spare host show here.',
    kind: 'timeseries',
    unit: 'reqps',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `sum ${by('host', 'outcome')} (rate(paycert_gateway_attempts_total{${scope}}[5m]))`,
        legend: '{{host}} {{outcome}}',
      },
    ],
  },
  {
    title: 'Proxy: clocks against platforms',
    text: 'By how much the clock of a pod is ahead at least, negative behind.',
    kind: 'timeseries',
    unit: 's',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `max ${by('namespace', 'pod', 'host')} (paycert_platform_clock_ahead_seconds{namespace=~"$namespace"})`,
        legend: '{{namespace}}/{{pod}} {{host}}',
      },
    ],
  },
  {
    title: 'Proxy: breakers that opened',
    text: 'In an hour. While one is open, nothing of the credential is sent to that host.',
    kind: 'timeseries',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `sum ${by('credential', 'host')} (${bornWithin('1h', breakerOpenings)} or increase(${breakerOpenings}{${scope}}[1h]))`,
        legend: '{{credential}} {{host}}',
      },
    ],
  },
  {
    title: 'Proxy: calls that are not sent',
    text: 'breaker: too many before them failed. bulkhead: too many are under way.',
    kind: 'timeseries',
    unit: 'reqps',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `sum ${by('credential', 'host', 'reason')} (rate(paycert_gateway_held_back_total{${scope}}[5m]))`,
        legend: '{{credential}} {{host}} {{reason}}',
      },
    ],
  },
  {
    title: 'Key services: signatures and decryptions',
    text: 'Asked of a service that keeps keys, by how they ended. Empty where all keys are in the material.',
    kind: 'timeseries',
    unit: 'reqps',
    ...half,
    from: 'key service',
    queries: [
      {
        expr: `sum ${by('service', 'use', 'outcome')} (rate(paycert_remote_signatures_total{namespace=~"$namespace"}[5m]))`,
        legend: '{{service}} {{use}} {{outcome}}',
      },
    ],
  },
  {
    title: 'Key services: requests over a quota',
    text: 'The service refused them, since the account sends too many. Each is sent again until its deadline.',
    kind: 'timeseries',
    unit: 'reqps',
    ...half,
    from: 'key service',
    queries: [
      {
        expr: `sum ${by('service')} (rate(paycert_key_service_throttled_total{namespace=~"$namespace"}[5m]))`,
        legend: '{{service}}',
      },
    ],
  },
  {
    title: 'Fleet: Pods by what they have',
    text: 'Of the Secret as it is stored. unknown: the sidecar does not answer. Empty without fleet.enabled.',
    kind: 'timeseries',
    unit: 'short',
    ...half,
    from: 'operator',
    queries: [
      {
        expr: `sum ${by('state')} (max ${by('credential_namespace', 'credential', 'state')} (paycert_fleet_pods{credential_namespace=~"$namespace",credential=~"$credential"}))`,
        legend: '{{state}}',
      },
    ],
  },
  {
    title: 'Fleet: credentials that are not everywhere',
    text: 'How many Pods have another snapshot, reject what is stored, or are unknown.',
    kind: 'timeseries',
    unit: 'short',
    ...half,
    from: 'operator',
    queries: [
      {
        expr: `max ${by('credential_namespace', 'credential', 'state')} (paycert_fleet_pods{state=~"old|rejected|unknown",credential_namespace=~"$namespace",credential=~"$credential"}) > 0`,
        legend: '{{credential_namespace}}/{{credential}} {{state}}',
      },
    ],
  },
  {
    title: 'Staged: sidecars by which set signs',
    text: 'Of two sets, the next one: true everywhere in that sidecar, some by a share of its requests, false nowhere. Refused: its platform ended it there.',
    kind: 'timeseries',
    unit: 'short',
    ...half,
    from: 'sidecar',
    queries: [
      { expr: `count ${by('credential', 'active')} (paycert_staged{${scope}})`, legend: '{{credential}} next signs: {{active}}' }, // prettier-ignore
      { expr: `sum ${by('credential')} (paycert_canary_rejected{${scope}})`, legend: '{{credential}} refused' },
    ],
  },
  {
    title: 'Staged: what platforms say of signatures',
    text: 'As the proxy sees it or applications report it. Too many refusals of a next set that is tried end its trial.',
    kind: 'timeseries',
    unit: 'reqps',
    ...half,
    from: 'sidecar',
    queries: [
      {
        expr: `sum ${by('credential', 'outcome')} (rate(paycert_signatures_judged_total{${scope}}[5m]))`,
        legend: '{{credential}} {{outcome}}',
      },
    ],
  },
  {
    title: 'Admission: reviews by outcome',
    text: 'failed: the write was stored without a review, or refused under Fail.',
    kind: 'timeseries',
    unit: 'short',
    ...half,
    from: 'operator',
    queries: [
      {
        expr: `sum ${by('kind', 'outcome', 'dry_run')} (increase(paycert_admission_reviews_total[1h]))`,
        legend: '{{kind}} {{outcome}} dry run: {{dry_run}}',
      },
    ],
  },
  {
    title: 'Admission: days to expiry',
    text: 'Of the certificate that a replica shows to the API server, and of the operator’s own authority.',
    kind: 'timeseries',
    unit: 'd',
    ...half,
    from: 'operator',
    queries: [
      {
        expr: `min ${by('pod')} (paycert_admission_certificate_not_after_timestamp_seconds - time()) / 86400`,
        legend: 'certificate of {{pod}}',
      },
      {
        expr: 'max(paycert_admission_authority_not_after_timestamp_seconds - time()) / 86400',
        legend: 'authority',
      },
    ],
  },
  {
    title: 'Injection: pods that ask for a sidecar',
    text: 'Missing: the webhook was away when they were created. Skipped: they cannot have one, such as with hostNetwork.',
    kind: 'timeseries',
    unit: 'short',
    ...half,
    from: 'operator',
    queries: [{ expr: `max ${by('state')} (paycert_injection_pods)`, legend: '{{state}}' }],
  },
  {
    title: 'Injection: evictions an hour',
    text: 'Of pods without their sidecar, so that their owner makes others.',
    kind: 'timeseries',
    unit: 'short',
    ...half,
    from: 'operator',
    queries: [
      { expr: `sum ${by('outcome')} (increase(paycert_injection_evictions_total[1h]))`, legend: '{{outcome}}' },
    ],
  },
];

/**
 * Swaps and rejections, as marks on every panel. Grafana asks at steps that grow with the range of time, far beyond a minute.
 * - Swaps: their times, in milliseconds. A step between two scrapes misses none. The first load of a process is no swap.
 * - Rejections: 1 where the counter is not what it was a step ago; that is so of a series that began since, too. Each is seen at one step.
 */
export const marks = {
  swaps: `max ${by('namespace', 'credential')} (paycert_reload_last_success_timestamp_seconds{${scope}} and paycert_generation{${scope}} > 1) * 1000`,
  rejections: `group ${by('namespace', 'credential', 'reason')} (paycert_reloads_total{${rejected}} unless paycert_reloads_total{${rejected}} == last_over_time(paycert_reloads_total{${rejected}}[15m] offset $__interval))`,
} as const;

/** What the choices at the top of the dashboard are made of. */
export const choices = {
  namespace: 'label_values(paycert_credential_ready, namespace)',
  credential: 'label_values(paycert_credential_ready{namespace=~"$namespace"}, credential)',
} as const;
