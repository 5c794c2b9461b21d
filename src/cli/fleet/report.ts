// What `paycert fleet` prints: a table of credentials, one of Pods, and what a person should know beside them.
import { countPods, podStates } from '../../operator/fleet/view.ts';
import { storedSnapshotId } from '../../operator/resource.ts';
import { formatTable, paint, printable } from '../table.ts';
import type { CredentialReport, FleetReport } from './gather.ts';
import { olderSidecars } from './versions.ts';

const minute = (time: string | undefined) => time?.slice(0, 16).replace('T', ' ') ?? '-';

/** A status may come from anybody who may write one. */
const oneLine = (text: string) => text.replaceAll(/\p{C}/gu, ' ');

const conditionOf = ({ resource }: CredentialReport) =>
  resource.status?.conditions.find(({ type }) => type === 'RolledOut');

/** As the operator counted them; as they answer now, where nobody counts. */
function countsOf({ resource: { status }, pods }: CredentialReport) {
  const { counts, oldest } = countPods(pods, storedSnapshotId(status));
  const { fleet } = status ?? {};
  if (fleet === undefined) return { counts, oldestKeyId: oldest?.keyId, since: undefined };
  return { counts: fleet, oldestKeyId: fleet.oldestKeyId, since: fleet.since };
}

/** `version`: of this program. `isOne`: every Pod is listed, also those that have what is stored. */
export function renderFleet({ credentials, withheld }: FleetReport, version: string, isOne: boolean): string {
  if (credentials.length === 0) return 'There is no PaymentCredential in this namespace.';
  return [
    renderCredentials(credentials),
    ...renderPods(credentials, isOne),
    ...credentials.flatMap(remarksOf),
    ...olderSidecars(credentials, version).map(([pod, older, newest]) =>
      line('yellow', 'older sidecar:', `${pod} runs ${printable(older)}; the newest here is ${printable(newest)}`),
    ),
    ...(withheld ? [line('yellow', 'no Pods:', `${withheld.message}. ${withheld.hint}`)] : []),
  ].join('\n');
}

const line = (style: 'red' | 'yellow', label: string, words: string) => `${paint(style, label)} ${words}`;

function renderCredentials(credentials: readonly CredentialReport[]): string {
  const header = [
    'CREDENTIAL',
    'ROLLED OUT',
    ...podStates.map((state) => state.toUpperCase()),
    'LONGEST IN USE',
    'SINCE',
  ];
  const rows = credentials.map((one) => {
    const { counts, oldestKeyId, since } = countsOf(one);
    const numbers = podStates.map((state) => String(counts[state]));
    const rolledOut = conditionOf(one)?.status ?? '-';
    return [one.resource.name, rolledOut, ...numbers, ...[oldestKeyId ?? '-', minute(since)].map(printable)];
  });
  return formatTable(header, rows);
}

function renderPods(credentials: readonly CredentialReport[], isOne: boolean): string[] {
  const shown = credentials.flatMap(({ resource, pods }) =>
    pods.filter(({ state }) => isOne || state !== 'current').map((pod) => ({ credential: resource.name, pod })),
  );
  if (shown.length === 0) return [];
  const header = [
    'POD',
    ...(isOne ? [] : ['CREDENTIAL']),
    'READY',
    'STATE',
    'SNAPSHOT',
    'SIGNS WITH',
    'LOADED',
    'SIDECAR',
  ];
  const rows = shown.map(({ credential, pod: { pod, isReady, state, sighting, version } }) => [
    ...[pod, ...(isOne ? [] : [credential]), isReady ? 'yes' : 'no', state],
    ...[sighting?.snapshotId, sighting?.keyId].map((text) => printable(text ?? '-')),
    ...[minute(sighting?.loadedAt), version ?? '-'].map(printable),
  ]);
  return ['', formatTable(header, rows)];
}

function remarksOf(one: CredentialReport): string[] {
  const { resource, pods } = one;
  const { name } = resource;
  const condition = conditionOf(one);
  return [
    ...(condition === undefined
      ? [line('yellow', 'not counted:', `${name}: its operator runs without --fleet, or has not looked at it yet`)]
      : []),
    ...(condition !== undefined && condition.status !== 'True'
      ? [line('yellow', 'not everywhere:', `${name}: ${oneLine(condition.message)}`)]
      : []),
    ...(resource.status?.fleet?.auditsCut === undefined
      ? []
      : [
          line(
            'red',
            'audit cut:',
            `${name}: ${resource.status.fleet.auditsCut} of its Pods; kubectl get events --field-selector reason=AuditCut`,
          ),
        ]),
    ...pods.flatMap(({ pod, state, unseen, sighting }) => [
      ...(unseen === undefined ? [] : [line('red', 'unknown:', `${pod}: ${unseen}`)]),
      ...(state === 'rejected' ? [line('red', 'rejected:', `${pod}: ${sighting?.rejection ?? ''}`)] : []),
      ...(sighting?.suspended === true ? [line('yellow', 'suspended:', `${pod}: its keys are dropped`)] : []),
      ...(sighting?.unreadable === undefined ? [] : [line('red', 'unreadable:', `${pod}: ${sighting.unreadable}`)]),
      ...(sighting?.frozen === true
        ? [line('red', 'never updates:', `${pod}: subPath mount; mount the whole volume`)]
        : []),
    ]),
  ];
}

/** For programs. */
export const fleetAsJson = ({ credentials, withheld }: FleetReport): object => ({
  credentials: credentials.map((one) => {
    const { namespace, name, status } = one.resource;
    const { status: rolledOut, reason, message } = conditionOf(one) ?? {};
    const condition = { status: rolledOut, reason, message };
    const snapshotId = storedSnapshotId(status);
    return {
      ...{ namespace, name, ...(snapshotId !== '' && { snapshotId }), rolledOut: condition, fleet: status?.fleet },
      pods: one.pods.map(({ pod, isReady, state, version, unseen, sighting, audit }) => ({
        ...{ name: pod, ready: isReady, state, sidecar: version, unknown: unseen },
        ...{ snapshotId: sighting?.snapshotId, keyId: sighting?.keyId, loadedAt: sighting?.loadedAt },
        ...{ rejection: sighting?.rejection, deferredUntil: sighting?.deferredUntil, frozen: sighting?.frozen },
        audit: audit && { seq: audit.seq, number: audit.number },
      })),
    };
  }),
  withheld: withheld && { code: withheld.code, detail: withheld.message },
});
