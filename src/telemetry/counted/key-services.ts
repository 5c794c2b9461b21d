// What is counted about keys that stay elsewhere: signatures by how they ended, and a service that fails.
import { type CountedRow, one } from './row.ts';

export const keyServices = {
  paycert_remote_signatures_total: {
    about: 'operations',
    type: 'counter',
    help: 'Signatures that a key service was asked for, by how they ended.',
    more: '`service`: as under `keyServices`. `outcome`: `ok`, `refused` (of that key or of us), `unavailable`, `timed-out`; nothing was sent: `overloaded` (too many wait), `held-back` (too many before it failed).',
    labels: ['service', 'outcome'],
    on: { 'remote-signed': ({ service, outcome }) => one({ service, outcome }) },
  },
  paycert_remote_signature_duration_seconds: {
    about: 'operations',
    type: 'histogram',
    help: 'How long signatures of a key service took, waiting included; of those that there are.',
    labels: ['service'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2],
    on: { 'remote-signed': ({ service, outcome, seconds }) => (outcome === 'ok' ? { value: seconds, service } : undefined) }, // prettier-ignore
  },
  paycert_key_service_breaker_openings_total: {
    about: 'operations',
    type: 'counter',
    help: 'How often the breaker of a key service opened.',
    labels: ['service'],
    on: { 'key-service-changed': ({ service, state }) => (state === 'open' ? one({ service }) : undefined) },
  },
} as const satisfies Record<string, CountedRow>;
