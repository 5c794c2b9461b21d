// What is logged of each event: a level, a sentence and fields. An unknown error is given by name and stack, never by message.
import { detailOf, type PaycertError } from '../errors.ts';
import { type Event, type NotifiedOutcome, tolerableSkewSeconds } from '../events.ts';
import { partOf } from '../store/staged.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogLine = readonly [level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>];

const describe = (error: PaycertError) => ({
  code: error.code,
  detail: detailOf(error),
  hint: error.hint,
  ...(error.field !== undefined && { field: error.field }),
});

/** Where it was thrown. A foreign message may quote what it choked on, so it is left out. */
function trace(error: unknown) {
  if (!(error instanceof Error)) return { error: typeof error };
  const stack = error.stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? [];
  return { error: error.name, stack: stack.map((line) => line.trim()) };
}

type Rows = { readonly [T in Event['type']]: (event: Extract<Event, { type: T }>) => LogLine | undefined };

const reviewLines = {
  allowed: 'a write was reviewed',
  refused: 'a write was refused',
  overridden: 'a write was let through for its break-glass annotation',
  failed: 'a write could not be reviewed; the policy of the webhook decides',
} as const;

const breakerLines = {
  open: 'too many calls to a host failed: for a while nothing is sent to it',
  'half-open': 'one call tries the host that failed',
  closed: 'the host that failed responds again',
} as const;

const liveLines = {
  accepted: 'the platform takes the new key',
  refused: 'the platform refuses the new key',
  none: 'whether the platform takes the new key is not known: it waits, and the platform is asked again',
} as const;

const listedLines = {
  listed: 'the platform certificates were downloaded',
  absent: 'the platform has no certificates for this merchant: it signs with a public key, and is asked once a day',
  unknown: 'the platform has no certificate of the number that a message named, or no message names it any more',
  failed: 'the platform certificates cannot be downloaded; those that are known stay',
} as const;

const remoteLines = {
  sign: ['signed by a key service', 'a key service did not sign'],
  decrypt: ['decrypted by a key service', 'a key service did not decrypt'],
} as const;

const keyServiceLines = {
  open: 'too many requests to a key service failed: for a while nothing is sent to it',
  'half-open': 'one request tries the key service that failed',
  closed: 'the key service that failed signs again',
} as const;

const droppedLines = {
  traces: 'spans are dropped: too many wait for the collector, or it refuses them',
  logs: 'lines of the audit are not at the collector: too many wait for it, or it refuses them',
} as const;

const recreatedLines = {
  evicted: 'a Pod without its sidecar was evicted: its owner makes another, which gets one',
  'not-injected': 'a Pod without its sidecar stays: another would not get one either',
  failed: 'a Pod without its sidecar could not be evicted; it is tried again',
} as const;
const replacedLines = {
  token: 'callers over TCP need the new token now',
  'proxy-token': 'callers of the proxy over TCP need the new token now',
  'notification-secret': 'notifications are signed for the application with the new secret now',
  'redis-password': 'the next connection to Redis is made with the new password',
  'audit-key': 'the lines of the audit are chained with the new key now: keep the old one, to verify what is there',
} as const;
const notifiedLines: Readonly<Partial<Record<NotifiedOutcome, string>>> = {
  accepted: 'a notification was accepted',
  repeated: 'a notification came again, and is not delivered again',
  asked: 'a platform asked whether its notifications arrive here',
  undelivered: 'a notification was not accepted: the application has not taken it',
  late: 'a notification was not accepted: the application has not answered in time',
  elsewhere: 'a notification was not accepted yet: another pod is delivering it',
};

const stagedFields = ({ credential, until, percent, of, keyId, error }: Extract<Event, { type: 'staged' }>) => ({
  credential,
  ...(until && { until }),
  ...(percent !== undefined && { percent }),
  ...(of && { of }),
  ...(keyId !== undefined && { besideKeyId: keyId }),
  ...(error && describe(error)),
});

const signersOf = {
  all: 'of two staged sets the next one signs here',
  some: 'of two staged sets the next one signs a share of the requests here, and the current one the others',
  none: 'of two staged sets the current one signs here, and the next one waits',
} as const;

const refusedNext = 'the platform refuses too many signatures of the next set: the current one signs here again';
const uselessOther = 'of two staged sets the one that does not sign is of no use';

const whatIsCurrent = (isRollback: boolean, keptAt: Date | undefined): string => {
  if (keptAt !== undefined)
    return 'the last good material of before the restart is current: the newest is not accepted';
  return isRollback ? 'older material is current (rollback)' : 'new material is current';
};

const whatStays = (isFirst = false): string =>
  isFirst ? 'no snapshot is current yet' : 'the last good snapshot stays current';

/** Every event has a row; a row may say that it is not worth a line. */
const rows: Rows = {
  swapped: ({ credential, generation, snapshotId, keyId, notAfter, seconds, isRollback, warnings, keptAt }) => [
    warnings.length > 0 || isRollback || keptAt !== undefined ? 'warn' : 'info',
    whatIsCurrent(isRollback, keptAt),
    {
      credential,
      generation,
      snapshotId,
      keyId,
      notAfter,
      seconds,
      ...(keptAt && { keptAt }),
      ...(warnings.length > 0 && { warnings: warnings.map(describe) }),
    },
  ],
  rejected: ({ credential, error, isNew, isFirst }) => [
    isNew ? 'error' : 'debug',
    `material rejected; ${whatStays(isFirst)}`,
    { credential, ...describe(error) },
  ],
  'live-checked': ({ credential, verdict }) => [
    verdict === 'accepted' ? 'info' : 'debug',
    liveLines[verdict],
    { credential },
  ],
  deferred: ({ credential, error, until, isBridged, isNew }) => [
    isNew ? (isBridged ? 'info' : 'error') : 'debug',
    error.code === 'key-unconfirmed'
      ? liveLines.none
      : isBridged
        ? 'material is good and not valid yet; it becomes current by itself, and the current snapshot lasts until then'
        : 'material is good and not valid yet, and no current snapshot lasts until it is',
    { credential, until, ...describe(error) },
  ],
  judged: ({ credential, keyId, outcome }) => [
    'debug',
    'a platform judged a signature',
    { credential, keyId, outcome },
  ],
  staged: (staged) => [
    staged.error === undefined && staged.isRejected !== true ? 'info' : 'error',
    staged.isRejected === true ? refusedNext : staged.error === undefined ? signersOf[partOf(staged)] : uselessOther,
    stagedFields(staged),
  ],
  'activation-refused': ({ credential, error }) => [
    'warn',
    'what says when the next set signs is not used; what it said last counts',
    { credential, ...describe(error) },
  ],
  unchanged: ({ credential, isRecovery }) =>
    isRecovery ? ['info', 'put right: the current snapshot is the newest material again', { credential }] : undefined,
  'parts-unmatched': ({ credential, changed, unchanged }) => [
    'warn',
    'only one part of a pair changed, and was used after five seconds: write both, or swap the directory at once',
    { credential, changed, unchanged },
  ],
  'found-by-poll': ({ credential }) => [
    'warn',
    'a change was found by polling only: its event was missed',
    { credential },
  ],
  'source-failed': ({ credential, error, isNew, isFirst }) => [
    isNew ? 'error' : 'debug',
    `the source cannot be read; ${whatStays(isFirst)}`,
    { credential, ...describe(error) },
  ],
  'last-good-failed': ({ credential, error, isNew }) => [
    isNew ? 'warn' : 'debug',
    'no material is kept for a restart of this container',
    { credential, ...describe(error) },
  ],
  'mount-frozen': ({ credential, file, paths }) => [
    'error',
    'these paths are subPath mounts and never update: mount the whole volume instead',
    { ...(credential !== undefined && { credential }), ...(file !== undefined && { file }), paths },
  ],
  'copies-changed': ({ credential, copies }) => [
    copies.length > 0 ? 'error' : 'info',
    copies.length > 0
      ? 'an annotation of the Secret has a copy of its keys, which many tools show: remove it'
      : 'the Secret has no copy of its keys in its annotations any more',
    { credential, copies },
  ],
  'credential-added': ({ credential }) => ['info', 'credential added', { credential }],
  'credential-removed': ({ credential }) => ['info', 'credential removed', { credential }],
  'internal-error': ({ where, credential, error }) => [
    'error',
    'internal error: please report it',
    { where, ...(credential !== undefined && { credential }), ...trace(error) },
  ],
  'source-chosen': ({ source, error }) => [
    error === undefined ? 'info' : 'warn',
    error === undefined ? 'the first source is readable again' : 'falling back to another source',
    { source, ...(error && describe(error)) },
  ],
  'fallback-caught-up': ({ source, seconds }) => ['debug', 'the fallback has caught up', { source, seconds }],
  'resource-followed': ({ credential, isSuspended }) => [
    isSuspended ? 'warn' : 'info',
    isSuspended ? 'the PaymentCredential is suspended: its keys are dropped' : 'following the PaymentCredential',
    { credential },
  ],
  'resource-refused': ({ credential, error }) => [
    'error',
    'the PaymentCredential cannot be followed; what it said last stays',
    { credential, ...describe(error) },
  ],
  'watch-failed': ({ source, reason, error }) => [
    'warn',
    'watching failed; it is tried again',
    { source, reason, ...(error && describe(error)) },
  ],
  'watch-restarted': ({ source }) => ['info', 'watching again', { source }],
  'watch-ended': () => undefined,
  'clock-compared': ({ aheadSeconds, isNews }) =>
    isNews
      ? [
          Math.abs(aheadSeconds) > tolerableSkewSeconds ? 'error' : 'info',
          'the clock here was compared with that of the API server',
          { aheadSeconds },
        ]
      : undefined,
  leading: ({ lease, isLeading }) => ['info', isLeading ? 'leading' : 'not leading any more', { lease }],
  reconciled: ({ object, outcome, error, seconds }) => [
    outcome === 'failed' ? 'warn' : 'debug',
    outcome === 'failed' ? 'looking at it failed; it is tried again' : 'looked at',
    { object, outcome, seconds, ...(error && describe(error)) },
  ],
  'condition-changed': ({ object, condition, status, reason, message, isBad }) => [
    isBad ? 'warn' : 'info',
    'condition changed',
    { object, condition, status, reason, detail: message },
  ],
  'status-unwritten': ({ object, error, isNew }) => [
    isNew ? 'error' : 'debug',
    'the status cannot be written: the one in the cluster is out of date',
    { object, ...describe(error) },
  ],
  'event-lost': ({ object, error, isNew }) => [
    isNew ? 'warn' : 'debug',
    'an Event could not be created; it is tried again',
    { object, ...describe(error) },
  ],
  'event-recorded': () => undefined,
  'serving-kept': ({ notAfter, isChanged }) => [
    isChanged ? 'info' : 'debug',
    isChanged ? 'the certificate of the webhooks was renewed' : 'the certificate of the webhooks is what is due',
    { authorityNotAfter: notAfter },
  ],
  'serving-failed': ({ error, isNew }) => [
    isNew ? 'error' : 'debug',
    'the certificate of the webhooks could not be kept; it is tried again',
    describe(error),
  ],
  reviewed: ({ kind, object, outcome, isDryRun, error, seconds }) => [
    outcome === 'overridden' || outcome === 'failed' ? 'warn' : outcome === 'refused' ? 'info' : 'debug',
    reviewLines[outcome],
    { kind, object, dryRun: isDryRun, seconds, ...(error && describe(error)) },
  ],
  'pod-recreated': ({ object, kind, outcome, error }) => [
    outcome === 'evicted' ? 'info' : 'warn',
    recreatedLines[outcome],
    { object, kind, ...(error && describe(error)) },
  ],
  'pods-refreshed': ({ object, pods, error }) => [
    error ? 'warn' : 'info',
    error ? 'Pods could not be touched; kubelet finds the change by itself within about a minute' : 'Pods touched',
    { object, pods, ...(error && describe(error)) },
  ],
  'audit-cut': ({ object, kind, known, found }) => [
    'error',
    kind === 'cut'
      ? 'lines of the audit of a Pod were cut off'
      : 'the last line that was known of the audit of a Pod is another one',
    { object, known, found },
  ],
  'audit-ends-unstored': ({ object, error, isNew }) => [
    isNew ? 'warn' : 'debug',
    'how far the audits of Pods went cannot be remembered for the next leader; it is tried again',
    { object, ...describe(error) },
  ],
  'activation-written': ({ object }) => ['info', 'a Pod has the activation of its staged keys', { object }],
  'activation-unwritten': ({ object, error, isNew }) => [
    isNew ? 'warn' : 'debug',
    'a Pod could not be given the activation of its staged keys; it is tried again',
    { object, ...describe(error) },
  ],
  'certificates-stored': ({ object, outcome, isNew, error }) => [
    isNew ? (outcome === 'failed' ? 'error' : 'info') : 'debug',
    listedLines[outcome],
    { object, ...(error && describe(error)) },
  ],
  'fleet-asked': ({ answered, unanswered, seconds }) => [
    'debug',
    'sidecars were asked what they have',
    { answered, unanswered, seconds },
  ],
  configured: ({ credentials, needsRestart }) => [
    needsRestart ? 'warn' : 'info',
    needsRestart
      ? 'configuration is current; listeners and log level change with the next restart'
      : 'configuration is current',
    { credentials },
  ],
  'config-rejected': ({ file, error }) => [
    'error',
    `${file} rejected; the last good one stays current`,
    { file, ...describe(error) },
  ],
  'certificate-presented': ({ file, notAfter }) => [
    'info',
    'a renewed certificate is shown from now on',
    { file, notAfter },
  ],
  'token-replaced': ({ file }) => ['info', replacedLines[file], { file }],
  operated: ({ call, listener, claim, credential, operation, outcome, seconds }) => [
    outcome === 'error' ? 'error' : 'debug',
    'operation',
    { call, listener, ...(claim !== undefined && { claim }), credential, operation, outcome, seconds },
  ],
  'key-missed': () => undefined,
  unverified: ({ credential, kind, error }) => [
    error.code === 'signature-probe' ? 'debug' : 'warn',
    'signature refused',
    { credential, kind, ...describe(error) },
  ],
  unopened: ({ credential, kind, error }) => [
    kind === 'notification' ? 'error' : 'warn',
    kind === 'notification'
      ? 'a notification is signed by the platform and cannot be opened: what it reports is not known here'
      : 'a ciphertext cannot be opened',
    { credential, kind, ...describe(error) },
  ],
  decrypted: ({ credential, role, isRetired }) => ['debug', 'decrypted', { credential, role, isRetired }],
  'remote-signed': ({ service, use, key, outcome, seconds, error }) => [
    outcome === 'ok' || outcome === 'held-back' ? 'debug' : 'warn',
    remoteLines[use][outcome === 'ok' ? 0 : 1],
    { service, key, outcome, seconds, ...(error && describe(error)) },
  ],
  'key-service-changed': ({ service, state }) => [
    state === 'open' ? 'error' : 'info',
    keyServiceLines[state],
    { service },
  ],
  'key-process-started': ({ service, pid }) => ['info', 'the process of a module of keys runs', { service, pid }],
  'key-process-ended': ({ service, error }) => [
    'warn',
    'the process of a module of keys has ended, and another one is started',
    { service, ...describe(error) },
  ],
  'access-key-kept': ({ service, error }) => [
    error ? 'warn' : 'info',
    error
      ? 'the files of an access key cannot be read: the key that was read last is used on'
      : 'an access key is used on no more: its files are read again, or its cloud does not take it',
    { service, ...(error && describe(error)) },
  ],
  'key-service-throttled': ({ service }) => ['debug', 'a key service refused a request: the account sends too many', { service }], // prettier-ignore
  attempted: ({ call, credential, host, startedAt, endedAt, outcome, status }) => [
    outcome === 'responded' ? 'debug' : 'warn',
    outcome === 'responded' ? 'the platform responded' : 'no response from the platform',
    { call, credential, host, outcome, ...(status !== undefined && { status }), seconds: (endedAt.getTime() - startedAt.getTime()) / 1000 }, // prettier-ignore
  ],
  'failed-over': ({ host, spare }) => [
    'warn',
    'a host of the platform cannot be connected to: its calls go to its spare',
    { host, spare },
  ],
  'failed-back': ({ host, spare }) => ['info', 'the host of the platform is back', { host, spare }],
  'breaker-changed': ({ credential, host, state }) => [
    state === 'open' ? 'error' : 'info',
    breakerLines[state],
    { credential, host },
  ],
  'held-back': ({ credential, host, reason }) => ['debug', 'nothing was sent', { credential, host, reason }],
  'platform-clock-compared': ({ host, aheadSeconds, isNews }) =>
    isNews
      ? [
          Math.abs(aheadSeconds) > tolerableSkewSeconds ? 'error' : 'info',
          'the clock here was compared with that of the platform',
          { host, aheadSeconds },
        ]
      : undefined,
  'own-called': () => undefined,
  'certificates-listed': ({ credential, outcome, isNew, error }) => [
    isNew ? (outcome === 'failed' ? 'error' : 'info') : 'debug',
    listedLines[outcome],
    { credential, ...(error && describe(error)) },
  ],
  forwarded: ({ call, credential, method, outcome, status, verified, attempts, seconds, error }) => [
    outcome === 'unknown' ? 'warn' : 'debug',
    outcome === 'unknown' ? 'whether the platform did it is unknown: query the order' : 'forwarded',
    { call, credential, method, outcome, status, ...(verified && { verified }), attempts, seconds, ...(error && describe(error)) }, // prettier-ignore
  ],
  notified: ({ call, credential, outcome, status, seconds, error }) => [
    outcome === 'undelivered' || outcome === 'late' ? 'warn' : 'debug',
    notifiedLines[outcome] ?? 'a notification was refused',
    { call, credential, outcome, status, seconds, ...(error && describe(error)) },
  ],
  delivered: ({ call, credential, outcome, seconds, error }) => [
    outcome === 'accepted' ? 'debug' : 'warn',
    outcome === 'accepted'
      ? 'the application took a notification'
      : 'the application did not take a notification; the platform sends it again',
    { call, credential, outcome, seconds, ...(error && describe(error)) },
  ],
  'notification-forgotten': () => [
    'warn',
    'more notifications were delivered than may be remembered: the oldest may be delivered again',
  ],
  'dedupe-changed': ({ isAvailable, error }) => [
    isAvailable ? 'info' : 'error',
    isAvailable
      ? 'what was delivered is shared between pods'
      : 'what was delivered is not shared between pods: each delivers what it does not know itself',
    error === undefined ? {} : describe(error),
  ],
  'delivery-unshared': ({ error }) => ['debug', 'a notification was delivered, and other pods do not know it', describe(error)], // prettier-ignore
  'query-fell-back': ({ credential, instead, error }) => [
    'warn',
    'an order is asked for at another interface of the same merchant',
    { credential, instead, ...(error && describe(error)) },
  ],
  // A line about lines that cannot be written.
  'lines-dropped': () => undefined,
  listening: ({ listener, address }) => ['info', 'listening', { listener, address }],
  'socket-lost': ({ path, error }) => [
    'error',
    error === undefined
      ? 'the socket was removed: putting it back'
      : 'the socket cannot be put back; it is tried again',
    { path, ...(error && describe(error)) },
  ],
  'socket-restored': ({ path }) => ['warn', 'the socket is back: callers can connect again', { path }],
  'audit-failed': ({ error }) => ['error', 'the audit cannot be written; its lines wait, and it is tried again', describe(error)], // prettier-ignore
  'audit-recovered': () => ['info', 'the audit is written again'],
  'audit-lines-lost': ({ lines }) => ['error', 'lines of the audit are lost: too many waited, or its collector refused them', { lines }], // prettier-ignore
  'audit-shortened': ({ files }) => [
    'warn',
    'files of the audit were removed before their time: raise `maxTotalBytes`, and its volume',
    { files },
  ],
  exported: () => undefined,
  'export-dropped': ({ signal, items }) => ['warn', droppedLines[signal], { items }],
  'export-failed': ({ signal, reason, isNew }) => [
    isNew ? 'warn' : 'debug',
    'the collector of OpenTelemetry takes nothing; no call waits for it, and it is tried again',
    { signal, reason },
  ],
  'export-recovered': ({ signal }) => [
    'info',
    'the collector of OpenTelemetry takes what is exported again',
    { signal },
  ],
  'variable-ignored': ({ variable, why }) => ['warn', `an environment variable is not used: ${why}`, { variable }],
  stopping: ({ drainSeconds }) => ['info', 'stopping: serving on, then finishing what is in flight', { drainSeconds }],
};

/** The line of an event; undefined for one that is not worth a line. */
export function describeEvent(event: Event): LogLine | undefined {
  return (rows[event.type] as (event: Event) => LogLine | undefined)(event);
}

/** Thousands a second, whose lines are of level debug: not described for a log that has none. */
export function isOfEachCall(event: Event): boolean {
  switch (event.type) {
    case 'decrypted':
    case 'judged':
      return true;
    case 'operated':
      return event.outcome !== 'error';
    case 'attempted':
      return event.outcome === 'responded';
    case 'forwarded':
      return event.outcome !== 'unknown';
    case 'platform-clock-compared':
      return !event.isNews;
    default:
      return false;
  }
}
