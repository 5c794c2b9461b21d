// What is counted about an operator: looks at resources, conditions, Events, Pods.
import { type CountedRow, one } from './row.ts';

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
