// What the Pods of one PaymentCredential have, as counts: a function of what each said, and of what is stored.
import type { PaycertError } from '../../errors.ts';
import type { CredentialSighting } from '../../store/sighting.ts';

/** One Pod, as it is known now. */
export interface PodView {
  readonly pod: string;
  readonly isReady: boolean;
  /** Of its sidecar; undefined until it has answered. */
  readonly version: string | undefined;
  /** What it has of the credential; undefined when that is not known now. */
  readonly sighting: CredentialSighting | undefined;
  /** Why it is not known. */
  readonly unseen: string | undefined;
}

/** What is known of the Pods of one PaymentCredential. */
export interface Look {
  readonly pods: readonly PodView[];
  /** Whether each was asked since the Secret changed. */
  readonly isComplete: boolean;
  /** How many of them have an audit whose end was cut off or rewritten. */
  readonly auditsCut: number;
  /** Why Pods may be missing. */
  readonly trouble: PaycertError | undefined;
}

export const podStates = ['current', 'old', 'deferred', 'rejected', 'unknown'] as const;
export type PodState = (typeof podStates)[number];

/** Only what a Pod has itself said is something else than unknown. `snapshotId`: of the Secret as it is stored. */
export function stateOf({ sighting }: Pick<PodView, 'sighting'>, snapshotId: string | undefined): PodState {
  if (sighting?.snapshotId === undefined || snapshotId === undefined) return 'unknown';
  if (sighting.snapshotId === snapshotId) return 'current';
  if (sighting.rejection !== undefined) return 'rejected';
  return sighting.deferredUntil === undefined ? 'old' : 'deferred';
}

export type Counts = Readonly<Record<PodState, number>>;

export interface Fleet {
  readonly counts: Counts;
  /** Mounts that never update. */
  readonly frozen: number;
  /** Of the Pods that have another snapshot than the stored one: the key that has signed for longest. */
  readonly oldest: { readonly keyId: string; readonly since: string } | undefined;
}

export function countPods(pods: readonly PodView[], snapshotId: string | undefined): Fleet {
  const counts = { current: 0, old: 0, deferred: 0, rejected: 0, unknown: 0 };
  let frozen = 0;
  let oldest: Fleet['oldest'];
  for (const pod of pods) {
    const state = stateOf(pod, snapshotId);
    counts[state] += 1;
    if (pod.sighting?.frozen === true) frozen += 1;
    if (state === 'current' || state === 'unknown') continue;
    const { keyId, loadedAt } = pod.sighting ?? {};
    const since = readTime(loadedAt);
    if (keyId === undefined || since === undefined) continue;
    if (oldest === undefined || since < oldest.since) oldest = { keyId, since };
  }
  return { counts, frozen, oldest };
}

/** As we write times, so that two compare as texts. */
function readTime(text: string | undefined): string | undefined {
  const time = new Date(text ?? '');
  return Number.isNaN(time.getTime()) || !/^\d{4}-/.test(text ?? '') ? undefined : time.toISOString();
}
