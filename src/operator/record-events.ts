// Records Kubernetes Events on a resource, a labelled Secret, or the owner of Pods.
import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Resource } from '../kube/resources.ts';
import type { Notice } from './status/events.ts';

const events: Resource = { group: 'events.k8s.io', version: 'v1', plural: 'events' };
const longestNote = 1024;

const apiVersions: Readonly<Record<string, string>> = { PaymentCredential: 'paycert.dev/v1alpha1', Secret: 'v1' };

/** What an Event is about. */
export interface Regarded {
  readonly kind: string;
  /** Needed for what is neither a PaymentCredential nor a Secret. */
  readonly apiVersion?: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface RecordOptions {
  readonly client: () => Promise<Pick<KubeClient, 'create'>>;
  readonly clock: Clock;
  /** Of this process, such as the name of its pod. */
  readonly identity: string;
}

/** Creates the Event unless it exists: its name is a digest of its content. */
export async function recordEvent(
  { kind, apiVersion = apiVersions[kind] ?? '', namespace, name, uid }: Regarded,
  { type, reason, note, since }: Notice,
  { client, clock, identity }: RecordOptions,
  signal: AbortSignal,
): Promise<void> {
  // A labelled Secret has no status: the next leader sees the same again, at another time.
  const what = kind === 'Secret' ? [uid, reason, note] : [uid, reason, note, since];
  const digest = createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 16);
  const event = {
    metadata: { name: `${name.slice(0, 200)}.${digest}`, namespace },
    eventTime: clock.now().toISOString().replace('Z', '000Z'),
    reportingController: 'paycert.dev/operator',
    reportingInstance: identity.slice(0, 128),
    action: 'Check',
    reason: reason.slice(0, 128),
    regarding: { apiVersion, kind, namespace, name, uid },
    note: note.length > longestNote ? `${note.slice(0, longestNote - 1)}…` : note,
    type,
  };
  try {
    await (await client()).create({ resource: events, namespace, name: event.metadata.name }, event, signal);
  } catch (error) {
    // It exists; or its namespace goes, and everything that it would be read beside.
    const isNeedless = ['object-conflict', 'namespace-terminating'];
    if (!(error instanceof PaycertError && isNeedless.includes(error.code))) throw error;
  }
}
