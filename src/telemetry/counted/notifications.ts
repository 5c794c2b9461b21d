// What is counted about notifications: what became of each, and whether the application took it.
import { type CountedRow, one } from './row.ts';

export const notifications = {
  paycert_notifications_total: {
    about: 'notifications',
    type: 'counter',
    help: 'Requests to the listener for notifications, by what became of them.',
    more: '`outcome`: `accepted` (the application took it), `repeated` (it was or is delivered already), `asked` (the platform asked whether it arrives here), `undelivered` (the application did not take it), `late` (it has not yet), `elsewhere` (another pod is delivering it), `refused` (forged, or a probe), `unopened` (signed by the platform, and no key opens it), `limited` (too many that do not verify), `not-ready`, `invalid`.',
    labels: ['credential', 'outcome'],
    on: { notified: ({ credential, outcome }) => one({ credential, outcome }) },
  },
  paycert_deliveries_total: {
    about: 'notifications',
    type: 'counter',
    help: 'Verified notifications that were handed to the application, by how that ended.',
    more: '`outcome`: `accepted` (2xx, also a late one), `refused` (another status), `unreachable`, `timed-out`.',
    labels: ['credential', 'outcome'],
    on: { delivered: ({ credential, outcome }) => one({ credential, outcome }) },
  },
  paycert_delivery_duration_seconds: {
    about: 'notifications',
    type: 'histogram',
    help: 'How long the application took to take a notification, or not to.',
    labels: [],
    buckets: [0.01, 0.05, 0.2, 1, 4.5, 30],
    on: { delivered: ({ seconds }) => ({ value: seconds }) },
  },
  paycert_notifications_forgotten_total: {
    about: 'notifications',
    type: 'counter',
    help: 'Delivered notifications that were forgotten before their platform ceases to send them.',
    more: 'Each may be delivered again: raise `notifications.remember`.',
    labels: [],
    on: { 'notification-forgotten': () => one() },
  },
  paycert_dedupe_failing: {
    about: 'notifications',
    type: 'gauge',
    help: 'Whether the Redis that pods share for notifications does not answer (1) or does (0).',
    more: '0 without `notifications.dedupe`, too.',
    labels: [],
    on: { 'dedupe-changed': ({ isAvailable }) => ({ value: Number(!isAvailable) }) },
  },
  paycert_deliveries_unshared_total: {
    about: 'notifications',
    type: 'counter',
    help: 'Notifications that were delivered while other pods could not be let known.',
    more: 'Another pod may have delivered them too.',
    labels: [],
    on: { 'delivery-unshared': () => one() },
  },
  paycert_query_fallbacks_total: {
    about: 'notifications',
    type: 'counter',
    help: 'Orders that were asked for at another interface of their platform, since their own said nothing of them.',
    labels: ['credential'],
    on: { 'query-fell-back': ({ credential }) => one({ credential }) },
  },
} as const satisfies Record<string, CountedRow>;
