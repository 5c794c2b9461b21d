// Events on a resource or a labelled Secret: what changed for the worse or the better, once, however often it is looked at.
import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Resource } from '../kube/resources.ts';
import { type Condition, isBad, type PaymentCredential, type Status } from './resource.ts';

interface Notice {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
  /** What makes it another one, if the same happens again. */
  readonly since: string;
}

type Kind = PaymentCredential['kind'];

/**
 * Whether a condition says what it said before. A resource has a status for the details; a Secret has none, so that
 * another message about what is wrong with it is said nowhere else.
 */
export function isSaid(kind: Kind, before: Status | undefined, { type, status, reason, message }: Condition): boolean {
  const old = before?.conditions.find((condition) => condition.type === type);
  if (old?.status !== status || old.reason !== reason) return false;
  return kind === 'PaymentCredential' || !isBad(type, status) || old.message === message;
}

/** What is worth an Event between two statuses. */
export function noticesOf(kind: Kind, before: Status | undefined, after: Status): Notice[] {
  const notices: Notice[] = [];
  const { accepted } = after;
  if (accepted && accepted.snapshotId !== before?.accepted?.snapshotId) {
    const note = `Snapshot ${accepted.snapshotId} is accepted: the Secret passes every check.`;
    notices.push({ type: 'Normal', reason: 'Accepted', note, since: accepted.time });
  }
  for (const condition of after.conditions) {
    const { type, status, reason, message, lastTransitionTime } = condition;
    const isFirst = before?.conditions.some((old) => old.type === type) !== true;
    const isWarning = isBad(type, status);
    // What was good from the beginning, and what another condition says already, is no news.
    if (isSaid(kind, before, condition) || notices.some((notice) => notice.reason === reason)) continue;
    if (!isWarning && isFirst) continue;
    if (!isWarning && type !== 'Ready') continue;
    const since = after.rejected?.secretResourceVersion ?? '';
    notices.push({
      type: isWarning ? 'Warning' : 'Normal',
      reason,
      note: message,
      since: `${lastTransitionTime} ${since}`,
    });
  }
  return notices;
}

const events: Resource = { group: 'events.k8s.io', version: 'v1', plural: 'events' };
const longestNote = 1024;

const apiVersions = { PaymentCredential: 'paycert.dev/v1alpha1', Secret: 'v1' } as const;

export interface AnnounceOptions {
  readonly client: () => Promise<Pick<KubeClient, 'create'>>;
  readonly clock: Clock;
  /** Of this process, such as the name of its pod. */
  readonly identity: string;
}

/** Creates the Event, unless it is there: its name is made of what it says. */
export async function announce(
  { kind, namespace, name, uid }: PaymentCredential,
  { type, reason, note, since }: Notice,
  { client, clock, identity }: AnnounceOptions,
  signal: AbortSignal,
): Promise<void> {
  // Of a labelled Secret no status is kept: its next leader sees the same again, at another time.
  const what = kind === 'Secret' ? [uid, reason, note] : [uid, reason, note, since];
  const digest = createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 16);
  const event = {
    metadata: { name: `${name.slice(0, 200)}.${digest}`, namespace },
    eventTime: clock.now().toISOString().replace('Z', '000Z'),
    reportingController: 'paycert.dev/operator',
    reportingInstance: identity.slice(0, 128),
    action: 'Check',
    reason: reason.slice(0, 128),
    regarding: { apiVersion: apiVersions[kind], kind, namespace, name, uid },
    note: note.length > longestNote ? `${note.slice(0, longestNote - 1)}…` : note,
    type,
  };
  try {
    await (await client()).create({ resource: events, namespace, name: event.metadata.name }, event, signal);
  } catch (error) {
    if (!(error instanceof PaycertError && error.code === 'object-conflict')) throw error;
  }
}
