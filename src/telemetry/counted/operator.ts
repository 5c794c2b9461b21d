// What is counted about an operator: looks at resources, conditions, Events, Pods.
import type { Sample } from '../fact-gauge.ts';
import { type CountedRow, one } from './row.ts';

const ifAdmission = (file: string, time: Date): Sample | undefined =>
  file === 'admission-certificate' ? { value: time.getTime() / 1000 } : undefined;

export const operator = {
  paycert_operator_reconciles_total: {
    about: 'operator',
    type: 'counter',
    help: 'Reconciles of one resource, by outcome.',
    more: '`outcome`: `unchanged`, `written`, `standby` (another replica leads, and writes), `failed` (tried again).',
    labels: ['outcome'],
    on: { reconciled: ({ outcome }) => one({ outcome }) },
  },
  paycert_operator_reconcile_duration_seconds: {
    about: 'operator',
    type: 'histogram',
    help: 'How long a reconcile took, with the write of a status if there was one.',
    labels: [],
    buckets: [0.005, 0.025, 0.1, 0.5, 2, 10],
    on: { reconciled: ({ outcome, seconds }) => (outcome === 'failed' ? undefined : { value: seconds }) },
  },
  paycert_operator_transitions_total: {
    about: 'operator',
    type: 'counter',
    help: 'Conditions that changed.',
    more: '`reason`: as in the resource.',
    labels: ['condition', 'status', 'reason'],
    on: { 'condition-changed': ({ condition, status, reason }) => one({ condition, status, reason }) },
  },
  paycert_operator_events_lost_total: {
    about: 'operator',
    type: 'counter',
    help: 'Events that could not be created.',
    more: 'The condition says the same.',
    labels: ['reason'],
    on: { 'event-lost': ({ error }) => one({ reason: error.code }) },
  },
  paycert_operator_events_recorded: {
    about: 'operator',
    type: 'gauge',
    help: 'Whether the last Event could be created (1) or not (0); one that could not is tried again every minute.',
    more: 'Absent before the first.',
    labels: [],
    on: { 'event-recorded': () => ({ value: 1 }), 'event-lost': () => ({ value: 0 }) },
  },
  paycert_admission_reviews_total: {
    about: 'operator',
    type: 'counter',
    help: 'Writes that were reviewed before they were stored, by outcome.',
    more: '`outcome`: `allowed`, `refused`, `overridden` (refused, and let through for its break-glass annotation), `failed` (the policy of the webhook decides). `dry_run`: whether it was asked only.',
    labels: ['kind', 'outcome', 'dry_run'],
    on: { reviewed: ({ kind, outcome, isDryRun }) => one({ kind, outcome, dry_run: String(isDryRun) }) },
  },
  paycert_admission_refusals_total: {
    about: 'operator',
    type: 'counter',
    help: 'What was against writes that were refused or overridden: the first fault of each.',
    more: '`reason`: a code of [errors.md](errors.md).',
    labels: ['kind', 'reason'],
    on: { reviewed: ({ kind, error }) => (error ? one({ kind, reason: error.code }) : undefined) },
  },
  paycert_admission_review_duration_seconds: {
    about: 'operator',
    type: 'histogram',
    help: 'How long a review took, with the wait for its turn. The API server waits for 3 seconds.',
    labels: [],
    buckets: [0.005, 0.02, 0.05, 0.25, 1, 3],
    on: { reviewed: ({ seconds }) => ({ value: seconds }) },
  },
  paycert_admission_certificate_not_after_timestamp_seconds: {
    about: 'operator',
    type: 'gauge',
    help: 'Until when the certificate is valid that this replica shows to the API server.',
    more: 'Absent while it has none.',
    labels: [],
    on: { 'certificate-presented': ({ file, notAfter }) => ifAdmission(file, notAfter) },
  },
  paycert_admission_certificate_not_before_timestamp_seconds: {
    about: 'operator',
    type: 'gauge',
    help: 'Since when that certificate is valid.',
    labels: [],
    on: { 'certificate-presented': ({ file, notBefore }) => ifAdmission(file, notBefore) },
  },
  paycert_admission_authority_not_after_timestamp_seconds: {
    about: 'operator',
    type: 'gauge',
    help: 'Until when the webhooks’ own authority is valid. It is replaced four months before.',
    more: 'Of the replica that leads, or led last; absent with a certificate of somebody else.',
    labels: [],
    on: { 'serving-kept': ({ notAfter }) => ({ value: notAfter.getTime() / 1000 }) },
  },
  paycert_admission_certificate_failures_total: {
    about: 'operator',
    type: 'counter',
    help: 'Attempts to keep the webhooks’ certificate, or its authority in their configuration, that failed.',
    more: '`reason`: a code of [errors.md](errors.md).',
    labels: ['reason'],
    on: { 'serving-failed': ({ error }) => one({ reason: error.code }) },
  },
  paycert_operator_pod_touches_total: {
    about: 'operator',
    type: 'counter',
    help: 'Pods that were touched, so that kubelet looks at once.',
    labels: [],
    on: { 'pods-refreshed': ({ pods, error }) => (error ? undefined : { value: pods }) },
  },
  paycert_operator_pod_touch_failures_total: {
    about: 'operator',
    type: 'counter',
    help: 'Rounds of touching Pods that failed.',
    labels: ['reason'],
    on: { 'pods-refreshed': ({ error }) => (error ? one({ reason: error.code }) : undefined) },
  },
} as const satisfies Record<string, CountedRow>;
