// What is counted about operations: how they end, what did not verify, what was decrypted.
import { type CountedRow, one } from './row.ts';

export const operations = {
  paycert_operations_total: {
    about: 'operations',
    type: 'counter',
    help: 'Operations of the local API; each item of a batch is one.',
    more: '`operation`: as in the URL. `outcome`: `ok`, `refused` (the answer is no), `caller-error`, `not-ready`, `gateway-error` (of the platform, or the way to it), `error` (a bug).',
    labels: ['credential', 'operation', 'outcome'],
    on: { operated: ({ credential, operation, outcome }) => one({ credential, operation, outcome }) },
  },
  paycert_operation_duration_seconds: {
    about: 'operations',
    type: 'histogram',
    help: 'How long operations took, waiting for a turn included.',
    labels: ['operation'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.8, 2.5],
    on: { operated: ({ operation, seconds }) => ({ value: seconds, operation }) },
  },
  paycert_verification_failures_total: {
    about: 'operations',
    type: 'counter',
    help: 'Signatures that were refused; reason is an error code. Probes are counted apart.',
    more: '`kind`: `response`, `notification`, `return`, `message`.',
    labels: ['credential', 'kind', 'reason'],
    on: {
      unverified: ({ credential, kind, error }) =>
        error.code === 'signature-probe' ? undefined : one({ credential, kind, reason: error.code }),
    },
  },
  paycert_signatures_judged_total: {
    about: 'operations',
    type: 'counter',
    help: 'Signatures of which the platform’s own word is known: by its response to the proxy, or by a report of the application.',
    more: '`outcome`: `accepted`, `refused`.',
    labels: ['credential', 'outcome'],
    on: { judged: ({ credential, outcome }) => one({ credential, outcome }) },
  },
  paycert_signature_probes_total: {
    about: 'operations',
    type: 'counter',
    help: 'WeChat Pay’s own wrong signatures, refused as they should be.',
    labels: ['credential', 'kind'],
    on: {
      unverified: ({ credential, kind, error }) =>
        error.code === 'signature-probe' ? one({ credential, kind }) : undefined,
    },
  },
  paycert_unopened_total: {
    about: 'operations',
    type: 'counter',
    help: 'What could not be opened; reason is an error code.',
    more: '`kind`: `notification` (its signature is valid, so the platform wrote it, and what it reports is not known here), `ciphertext` (of `decrypt`: nothing proves who wrote it).',
    labels: ['credential', 'kind', 'reason'],
    on: { unopened: ({ credential, kind, error }) => one({ credential, kind, reason: error.code }) },
  },
  paycert_decryptions_total: {
    about: 'operations',
    type: 'counter',
    help: 'Decryptions by the role of the key that opened it.',
    more: '`retired`: `true` when only a key of an earlier snapshot opened it, else `false`.',
    labels: ['credential', 'role', 'retired'],
    on: { decrypted: ({ credential, role, isRetired }) => one({ credential, role, retired: String(isRetired) }) },
  },
} as const satisfies Record<string, CountedRow>;
