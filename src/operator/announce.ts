// Events on a resource or a labelled Secret: what changed for the worse or the better, once, however often it is looked at.
import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Resource } from '../kube/resources.ts';
import { isBad, type PaymentCredential, type Status } from './resource.ts';

interface Notice {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
  /** What makes it another one, if the same happens again. */
  readonly since: string;
}

/** What is worth an Event between two statuses. */
export function noticesOf(before: Status | undefined, after: Status): Notice[] {
  const notices: Notice[] = [];
  const { accepted } = after;
  if (accepted && accepted.snapshotId !== before?.accepted?.snapshotId) {
    const note = `Snapshot ${accepted.snapshotId} is accepted: the Secret passes every check.`;
    notices.push({ type: 'Normal', reason: 'Accepted', note, since: accepted.time });
  }
  for (const { type, status, reason, message, lastTransitionTime } of after.conditions) {
    const old = before?.conditions.find((condition) => condition.type === type);
    const isWarning = isBad(type, status);
    const isSame = old?.status === status && old.reason === reason;
    // What was good from the beginning, and what another condition says already, is no news.
    if (isSame || notices.some((notice) => notice.reason === reason) || (!isWarning && old === undefined)) continue;
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
