// What is counted about keys that stay elsewhere: signatures by how they ended, and a service that fails.
import { type CountedRow, one } from './row.ts';

export const keyServices = {
  paycert_remote_signatures_total: {
    about: 'operations',
    type: 'counter',
    help: 'Signatures and decryptions that a key service was asked for, by how they ended.',
    more: '`service`: as under `keyServices`. `use`: `sign`, `decrypt`. `outcome`: `ok`, `refused` (of that key or of us), `unavailable`, `timed-out`, `throttled` (refused until the deadline, since the account sends too many); nothing was sent: `overloaded` (too many wait), `held-back` (too many before it failed).',
    labels: ['service', 'use', 'outcome'],
    on: { 'remote-signed': ({ service, use, outcome }) => one({ service, use, outcome }) },
  },
  paycert_remote_signature_duration_seconds: {
    about: 'operations',
    type: 'histogram',
    help: 'How long signatures of a key service took, waiting included; of those that there are.',
    labels: ['service'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2],
    on: { 'remote-signed': ({ service, use, outcome, seconds }) => (outcome === 'ok' && use === 'sign' ? { value: seconds, service } : undefined) }, // prettier-ignore
  },
  paycert_key_service_throttled_total: {
    about: 'operations',
    type: 'counter',
    help: 'Requests that a key service refused since the account sends too many; each is sent again until its deadline.',
    labels: ['service'],
    on: { 'key-service-throttled': ({ service }) => one({ service }) },
  },
  paycert_key_service_breaker_openings_total: {
    about: 'operations',
    type: 'counter',
    help: 'How often the breaker of a key service opened.',
    labels: ['service'],
    on: { 'key-service-changed': ({ service, state }) => (state === 'open' ? one({ service }) : undefined) },
  },
  paycert_access_key_kept: {
    about: 'operations',
    type: 'gauge',
    help: 'Whether the access key of a key service is used on although its files cannot be read (1), or not (0).',
    more: 'Absent until that has been so once.',
    labels: ['service'],
    on: { 'access-key-kept': ({ service, error }) => ({ value: Number(error !== undefined), service }) },
  },
  paycert_key_process_ends_total: {
    about: 'operations',
    type: 'counter',
    help: 'How often the process of a PKCS#11 module ended and was replaced: it hung, crashed, or its token went away.',
    labels: ['service'],
    on: { 'key-process-ended': ({ service }) => one({ service }) },
  },
} as const satisfies Record<string, CountedRow>;
