// What `paycert status` prints: the table of keys, and what a person should know beside it.
import type { Static } from 'typebox';
import { tolerableSkewSeconds } from '../events.ts';
import { roleOf } from '../providers/roles.ts';
import type { CredentialStatus, ProcessStatus } from '../server/schema.ts';
import { endingSoon } from '../store/abilities.ts';
import { date, daysLeft, formatTable, listIgnored, paint } from './table.ts';

export type Status = Static<typeof CredentialStatus>;
export type Process = Static<typeof ProcessStatus>;

const fileRemarks = ({ file, frozenPaths = [], rejection }: Process['files'][number]): string[] => [
  ...(rejection
    ? [
        `${paint('red', 'rejected:')} ${file}: since ${rejection.at ?? ''} the last good content is in use, and the next restart fails. ${noticeText(rejection)}`,
      ]
    : []),
  ...(frozenPaths.length > 0
    ? [`${paint('red', 'never updates:')} ${file}: subPath mount at ${frozenPaths.join(', ')}; mount the whole volume`]
    : []),
];

/** What is wrong between this machine and a platform. */
const hostRemarks = ({ host, onSpare, clock, credentials = [] }: NonNullable<Process['hosts']>[number]): string[] => [
  ...(onSpare ? [`${paint('yellow', 'on spare:')} ${host}: nobody can connect to it; its calls go to its spare`] : []),
  ...(clock && Math.abs(clock.aheadSeconds) > 1
    ? [
        `${paint(Math.abs(clock.aheadSeconds) > tolerableSkewSeconds ? 'red' : 'yellow', 'clock:')} ${host}: the clock here is ${String(Math.abs(clock.aheadSeconds))} s ${clock.aheadSeconds > 0 ? 'ahead' : 'behind'}${clock.corrected ? '; requests are signed with the time of the platform' : '; correct it, or set proxy.correctClock'}`,
      ]
    : []),
  ...credentials.flatMap(({ credential, breaker, underWay, waiting }) => [
    ...(breaker === 'closed'
      ? []
      : [`${paint('red', 'breaker:')} ${host}: too many calls of ${credential} failed; until one succeeds, most are refused`]), // prettier-ignore
    ...(waiting === 0
      ? []
      : [`${paint('yellow', 'queue:')} ${host}: ${String(underWay)} calls of ${credential} are under way, and ${String(waiting)} wait`]), // prettier-ignore
  ]),
];

/** What concerns every credential of a process. */
export const processRemarks = ({
  files,
  hosts = [],
  dedupe,
  audit,
  accessKeys = [],
  remoteKeys = [],
}: Pick<Process, 'files' | 'hosts' | 'dedupe' | 'audit' | 'accessKeys' | 'remoteKeys'>): string[] => [
  ...files.flatMap(fileRemarks),
  ...hosts.flatMap(hostRemarks),
  ...(dedupe?.reason
    ? [`${paint('red', 'not shared:')} since ${dedupe.since} each pod delivers the notifications that it does not know itself. ${noticeText(dedupe.reason)}`] // prettier-ignore
    : []),
  ...(audit?.reason
    ? [`${paint('red', 'not audited:')} since ${audit.since ?? 'the start'} lines of the audit wait. ${noticeText(audit.reason)}`] // prettier-ignore
    : []),
  ...accessKeys.map(
    ({ service, since, reason }) =>
      `${paint('red', 'access key unread:')} ${service}: since ${since} the one that was read last is used on, and the next start has none. ${noticeText(reason)}`,
  ),
  ...remoteKeys.flatMap(
    ({ use, key, since = '', reason }) =>
    reason === undefined
      ? []
      : [`${paint('red', use === 'sign' ? 'does not sign:' : 'does not open:')} ${key}: since ${since}. ${noticeText(reason)}`], // prettier-ignore
  ),
];

const noticeText = ({ detail, code, hint }: Status['warnings'][number]) => `${detail} (${code}). ${hint}`;

export function renderStatus(credentials: readonly Status[]): string {
  const now = new Date();
  const time = (text: string | undefined) => (text === undefined ? undefined : new Date(text));
  const rows = credentials.flatMap(({ name, ready, generation, snapshotId, apiv3Key, keys }) =>
    (keys.length > 0 ? keys : [undefined]).map((key, index) => {
      const own =
        index === 0 ? [name, ready ? 'yes' : 'no', String(generation ?? 0), snapshotId ?? '-'] : ['', '', '', ''];
      const role = key?.role === 'apiv3' && apiv3Key ? `apiv3 (${apiv3Key})` : (key?.role ?? '-');
      return [
        ...own,
        role,
        key?.keyId ?? '-',
        date(time(key?.notAfter)),
        // Such as a merchant key that came with a serial number alone: its certificate expires, and nobody here knows when.
        key && (key.notAfter !== undefined || roleOf(key.role)?.expiry?.code !== 'certificate-expired')
          ? daysLeft(time(key.notAfter), now)
          : '-',
        date(time(key?.replaceBy)),
      ];
    }),
  );
  const header = ['CREDENTIAL', 'READY', 'GENERATION', 'SNAPSHOT', 'ROLE', 'KEY ID', 'NOT AFTER', 'DAYS LEFT', 'REPLACE BY']; // prettier-ignore
  return [formatTable(header, rows), ...credentials.flatMap((credential) => remarks(credential, now))].join('\n');
}

type Abilities = Pick<Status, 'name' | 'keys'> & Partial<Pick<Status, 'can' | 'cannot' | 'ignored'>>;

/** What its keys can do, and what of them ends soon. A sidecar of an older version does not say what they can do. */
function abilityRemarks({ name, keys, can = [], cannot = [], ignored = [] }: Abilities, now: Date): string[] {
  const line = (label: string, words: string) => `${paint('yellow', label)} ${name}: ${words}`;
  const known = keys.map(({ role, keyId, notAfter }) => ({
    role,
    keyId,
    ...(notAfter !== undefined && { notAfter: new Date(notAfter) }),
  }));
  return [
    ...(can.length > 0 ? [`can: ${name}: ${can.join(', ')}`] : []),
    ...(can.length > 0 && cannot.length > 0 ? [line('cannot:', cannot.join(', '))] : []),
    ...endingSoon(known, now).map(({ role, keyId, notAfter, days }) =>
      line('ends:', `${role} ${keyId} on ${date(notAfter)}, in ${String(days)} days`),
    ),
    ...(ignored.length > 0 ? [line('unread:', listIgnored(ignored))] : []),
  ];
}

/** Of two sets, the one that does not sign here. */
function stagedText({
  active,
  rejected = false,
  until,
  percent,
  of,
  keyId = '-',
  reason,
}: NonNullable<Status['staged']>): string {
  const current = rejected ? 'the platform refuses the next set, so the current set signs here' : 'the current set signs here'; // prettier-ignore
  const which = active ? 'the next set signs here' : current;
  const when = until === undefined ? `in ${String(percent)} of 100 ${of ?? 'pods'} the next one does` : `the next one does from ${until} on`; // prettier-ignore
  const other = reason ? `the other one is of no use: ${noticeText(reason)}` : `beside it key ${keyId} verifies and decrypts`; // prettier-ignore
  return `${which}; ${when}; ${other}`;
}

/** What a person should know of a credential beside its keys. */
function remarks(
  {
    name,
    suspended = false,
    rejection,
    deferral,
    sourceError,
    resourceError,
    staged,
    platformCertificates,
    restored,
    lastGood,
    unopened = [],
    warnings,
    frozenPaths,
    copies = [],
    references = [],
    lacking,
    keys,
    ...more
  }: Status,
  now: Date,
): string[] {
  const line = (style: 'red' | 'yellow', label: string, words: string) => `${paint(style, label)} ${name}: ${words}`;
  return [
    ...abilityRemarks({ name, keys, ...more }, now),
    ...(lacking.length > 0 ? [line('red', 'not ready:', `cannot ${lacking.join(', ')}`)] : []),
    ...(suspended
      ? [
          line(
            'red',
            'suspended:',
            'its keys are dropped; set spec.suspend of its PaymentCredential to false to resume',
          ),
        ]
      : []),
    ...(rejection ? [line('red', 'rejected:', noticeText(rejection))] : []),
    ...(deferral
      ? [line('yellow', 'deferred:', `${deferral.code === 'key-unconfirmed' ? 'waits for a verdict of its platform until' : 'becomes current by itself at'} ${deferral.until}. ${noticeText(deferral)}`)] // prettier-ignore
      : []),
    ...(staged
      ? [line(staged.reason || staged.rejected === true ? 'red' : 'yellow', 'staged:', stagedText(staged))]
      : []),
    ...(platformCertificates?.outcome === 'absent'
      ? [line('yellow', 'public key only:', 'the platform has no certificates for this merchant; it is asked once a day')] // prettier-ignore
      : []),
    ...(platformCertificates?.reason
      ? [line('yellow', 'not downloaded:', `the platform certificates of ${platformCertificates.listedAt ?? 'the material'} stay. ${noticeText(platformCertificates.reason)}`)] // prettier-ignore
      : []),
    ...(restored
      ? [line('red', 'restored:', `since a restart at ${restored.at} what was accepted at ${restored.keptAt} is in use; a new pod has no keys`)] // prettier-ignore
      : []),
    ...(lastGood?.reason ? [line('yellow', 'not kept:', noticeText(lastGood.reason))] : []),
    ...(sourceError ? [line('red', 'unreadable:', noticeText(sourceError))] : []),
    ...(resourceError
      ? [line('red', 'not followed:', `what its PaymentCredential said last is in use. ${noticeText(resourceError)}`)]
      : []),
    ...unopened.map(({ kind, count, since, at, ...last }) => {
      const what = kind === 'notification' ? 'signed notifications' : 'ciphertexts';
      return line('red', 'not opened:', `${count} ${what} since ${since}, the last at ${at}. ${noticeText(last)}`);
    }),
    ...(frozenPaths
      ? [line('red', 'never updates:', `subPath mount at ${frozenPaths.join(', ')}; mount the whole volume`)]
      : []),
    ...copies.map(({ namespace, secret, annotation }) => {
      const remedy = `kubectl -n ${namespace} annotate secret ${secret} ${annotation}-`;
      return line(
        'red',
        'exposed:',
        `Secret "${secret}" has a copy of its keys in ${annotation}. Remove it: ${remedy}`,
      );
    }),
    ...references.map(({ part, reference }) => `elsewhere: ${name}: the key of ${part} is ${reference}`),
    ...keys
      .filter(({ replaceBy }) => replaceBy !== undefined && new Date(replaceBy) <= now)
      .map(({ role, keyId }) => line('yellow', 'too old:', `key ${keyId} (${role}) is older than maxAge; replace it`)),
    ...warnings.map((warning) => line('yellow', 'warning:', noticeText(warning))),
  ];
}
