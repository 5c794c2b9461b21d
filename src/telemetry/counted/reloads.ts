// What is counted about reloads, sources and the configuration.
import { type CountedRow, one } from './row.ts';

export const reloads = {
  paycert_reloads_total: {
    about: 'reloads',
    type: 'counter',
    help: 'Attempts to make material current; reason is an error code.',
    more: '`outcome`: `swapped`, `deferred` (good, and not valid yet or not confirmed by its platform), `rejected` (the material does not fit), `failed` (the origin cannot be read). `reason`: empty when swapped. The same material refused for the same reason again counts once.',
    labels: ['credential', 'outcome', 'reason'],
    on: {
      swapped: ({ credential }) => one({ credential, outcome: 'swapped', reason: '' }),
      deferred: ({ credential, error, isNew }) =>
        isNew ? one({ credential, outcome: 'deferred', reason: error.code }) : undefined,
      rejected: ({ credential, error, isNew }) =>
        isNew ? one({ credential, outcome: 'rejected', reason: error.code }) : undefined,
      'source-failed': ({ credential, error, isNew }) =>
        isNew ? one({ credential, outcome: 'failed', reason: error.code }) : undefined,
    },
  },
  paycert_reload_duration_seconds: {
    about: 'reloads',
    type: 'histogram',
    help: 'How long parsing, checking and swapping took.',
    labels: [],
    buckets: [0.005, 0.025, 0.1, 0.5, 2],
    on: {
      swapped: ({ seconds }) => ({ value: seconds }),
      deferred: ({ seconds, isNew }) => (isNew ? { value: seconds } : undefined),
      rejected: ({ seconds, isNew }) => (isNew ? { value: seconds } : undefined),
    },
  },
  paycert_change_to_current_seconds: {
    about: 'reloads',
    type: 'histogram',
    help: 'From a change at its origin to current.',
    more: 'Not for the first load. Of a mounted Secret the change is kubelet’s write: what kubelet needs before that is not in it. Of a Secret by API it is the write itself, to the second.',
    labels: [],
    buckets: [0.01, 0.1, 1, 10, 60, 300],
    on: {
      swapped: ({ changeToCurrentSeconds: value }) => (value === undefined ? undefined : { value }),
    },
  },
  paycert_rollbacks_total: {
    about: 'reloads',
    type: 'counter',
    help: 'Swaps to material older than what it replaced.',
    labels: ['credential'],
    on: { swapped: ({ credential, isRollback }) => (isRollback ? one({ credential }) : undefined) },
  },
  paycert_source_errors_total: {
    about: 'reloads',
    type: 'counter',
    help: 'Reads of a source that failed, each of them.',
    labels: ['credential', 'reason'],
    on: { 'source-failed': ({ credential, error }) => one({ credential, reason: error.code }) },
  },
  paycert_platform_certificate_downloads_total: {
    about: 'reloads',
    type: 'counter',
    help: 'Downloads of platform certificates, each of them.',
    more: '`outcome`: `listed`, `absent` (the platform has none for this merchant, and signs with a public key), `unknown` (it has none of the number that a message named), `failed`. `reason`: an error code; empty unless failed.',
    labels: ['credential', 'outcome', 'reason'],
    on: {
      'certificates-listed': ({ credential, outcome, error }) =>
        one({ credential, outcome, reason: error?.code ?? '' }),
    },
  },
  paycert_live_checks_total: {
    about: 'reloads',
    type: 'counter',
    help: 'Questions to a platform about a new key, before that may become current.',
    more: '`verdict`: `accepted`, `refused`, `none` (it did not say: no network, a 5xx, a clock that is off).',
    labels: ['credential', 'verdict'],
    on: { 'live-checked': ({ credential, verdict }) => one({ credential, verdict }) },
  },
  paycert_watch_failures_total: {
    about: 'reloads',
    type: 'counter',
    help: 'Watches that failed and are tried again.',
    more: '`reason`: of files, the system’s code, such as `ENOSPC` or `EMFILE`, and polling continues; of a Secret, a code of errors.md, or `missed-event`. The same failure again counts once.',
    labels: ['reason'],
    on: { 'watch-failed': ({ reason }) => one({ reason }) },
  },
  paycert_watch_restarts_total: {
    about: 'reloads',
    type: 'counter',
    help: 'Watches that were started again after a failure.',
    labels: [],
    on: { 'watch-restarted': () => one() },
  },
  paycert_watch_failing: {
    about: 'reloads',
    type: 'gauge',
    help: 'Whether a watch of the API server, or a Lease, fails now (1) or works again (0).',
    more: 'Absent for what has never failed, or is not needed any more. `source`: as in the log line, such as `secret:NAME`, `secrets/NAMESPACE` or `lease:NAME`.',
    labels: ['source'],
    on: {
      // Without an error: of files, which are polled; or an event that was missed, which a list has found.
      'watch-failed': ({ source, error }) => (error === undefined ? undefined : { value: 1, source }),
      'watch-restarted': ({ source }) => ({ value: 0, source }),
      'watch-ended': ({ source }) => ({ value: Number.NaN, source }),
    },
  },
  paycert_source_fallbacks_total: {
    about: 'reloads',
    type: 'counter',
    help: 'Changes to a fallback, of several sources, because a better one could not be read.',
    labels: [],
    on: { 'source-chosen': ({ error }) => (error === undefined ? undefined : one()) },
  },
  paycert_mount_lag_seconds: {
    about: 'reloads',
    type: 'histogram',
    help: 'How long a fallback, such as a mount, took to show what a better source had shown.',
    labels: [],
    buckets: [1, 5, 15, 45, 90, 300],
    on: { 'fallback-caught-up': ({ seconds }) => ({ value: seconds }) },
  },
  paycert_poll_corrections_total: {
    about: 'reloads',
    type: 'counter',
    help: 'Changes that only the poll found: their event was missed.',
    labels: ['credential'],
    on: { 'found-by-poll': ({ credential }) => one({ credential }) },
  },
  paycert_unmatched_parts_total: {
    about: 'reloads',
    type: 'counter',
    help: 'Changes in plain files of one part of a pair, used after five seconds without the other.',
    labels: ['credential'],
    on: { 'parts-unmatched': ({ credential }) => one({ credential }) },
  },
  paycert_config_reloads_total: {
    about: 'reloads',
    type: 'counter',
    help: 'Reads of paycert.yaml that found a change, and those of it or of the token file that were refused.',
    more: '`outcome`: `accepted`, `rejected`.',
    labels: ['outcome'],
    on: {
      configured: () => one({ outcome: 'accepted' }),
      'config-rejected': () => one({ outcome: 'rejected' }),
    },
  },
  paycert_file_current: {
    about: 'reloads',
    type: 'gauge',
    help: 'Whether the newest content of a followed file is current (1), or was refused (0): the next restart fails on it.',
    more: '`file`: `configuration` (paycert.yaml), `token`, `proxy-token`, `notification-secret`, `audit-key`, `certificate` and `admission-certificate` (of the operator’s listeners).',
    labels: ['file'],
    on: {
      configured: () => ({ value: 1, file: 'configuration' }),
      'token-replaced': ({ file }) => ({ value: 1, file }),
      'certificate-presented': ({ file }) => ({ value: 1, file }),
      'config-rejected': ({ file }) => ({ value: 0, file }),
    },
  },
  paycert_file_frozen: {
    about: 'reloads',
    type: 'gauge',
    help: 'Paths of a followed file that never update, such as subPath mounts; absent where there are none.',
    more: '`file`: as above.',
    labels: ['file'],
    on: {
      'mount-frozen': ({ file, paths }) => (file === undefined ? undefined : { value: paths.length, file }),
    },
  },
} as const satisfies Record<string, CountedRow>;
