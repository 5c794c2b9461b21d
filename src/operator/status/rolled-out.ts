// Whether every Pod has what is stored: the condition RolledOut and the counts beside it, of what sidecars said and of nothing else.
import { type Counts, countPods, type Fleet, type Look, podStates } from '../fleet/view.ts';
import { deferredReason, type Status } from '../resource.ts';
import { type Evaluation, isValid, type Outcome, reasonOf } from './conditions.ts';
import type { SecretEvaluation } from './evaluate.ts';
import { dividedBy } from './staged.ts';

export interface Rollout {
  readonly fleet: Status['fleet'];
  /** None where nobody asks sidecars. */
  readonly outcomes: Readonly<Record<string, Outcome>>;
}

const only = (status: Outcome['status'], reason: string, message: string): Rollout => ({
  fleet: undefined,
  outcomes: { RolledOut: { status, reason, message } },
});

const unasked = 'Not every Pod has been asked since the Secret changed.';

export function evaluateRollout(evaluation: Evaluation, previous: Status | undefined, now: Date): Rollout {
  const { fleet: look, spec, secret, error } = evaluation;
  if (look === undefined) return { fleet: undefined, outcomes: {} };
  if (spec?.suspend === true)
    return only('False', 'Suspended', 'Suspended: Pods are to have none of its keys, and are not counted.');
  if (secret === undefined)
    return only('Unknown', error ? reasonOf(error) : 'Unknown', 'What Pods should have is not known: see Valid.');
  if (look === 'standby' || !look.isComplete) {
    const kept = keptRollout(secret, previous);
    if (kept) return kept;
    if (look === 'standby') return only('Unknown', 'NotAsked', unasked);
  }
  return evaluate({ secret, staged: evaluation.staged }, look, { previous, now });
}

/** What was found out about the same version of the Secret stays, until this process has asked each Pod itself. */
function keptRollout({ secretResourceVersion }: SecretEvaluation, previous: Status | undefined): Rollout | undefined {
  if (previous?.observedSecretVersion !== secretResourceVersion) return undefined;
  const condition = previous.conditions.find(({ type }) => type === 'RolledOut');
  if (condition === undefined) return undefined;
  const { status, reason, message } = condition;
  return { ...only(status, reason, message), fleet: previous.fleet };
}

interface Sets extends Pick<Evaluation, 'staged'> {
  readonly secret: SecretEvaluation;
}

function evaluate(
  { secret, staged }: Sets,
  { pods, isComplete, auditsCut, trouble }: Look,
  { previous, now }: { readonly previous: Status | undefined; readonly now: Date },
): Rollout {
  const { counts, frozen, oldest } = countPods(pods, secret.snapshotId);
  // What cannot be read has no keys, and a digest of nothing names nothing.
  const snapshotId = secret.keys.length > 0 ? secret.snapshotId : undefined;
  const { status, reason, why = '' } = verdict({ secret, staged }, counts, { isComplete, trouble });
  const before = previous?.conditions.find(({ type }) => type === 'RolledOut');
  const isSame = previous?.fleet?.snapshotId === snapshotId && before?.status === status;
  const since = (isSame && previous?.fleet?.since) || now.toISOString();
  const message = `${why}${describe({ counts, frozen, oldest }, snapshotId, status === 'True' ? since : undefined)}`;
  return {
    fleet: {
      ...counts,
      ...(snapshotId !== undefined && { snapshotId }),
      ...(oldest && { oldestKeyId: oldest.keyId, oldestSince: oldest.since }),
      ...(auditsCut > 0 && { auditsCut }),
      since,
    },
    outcomes: { RolledOut: { status, reason, message } },
  };
}

interface Evaluated extends Pick<Outcome, 'status' | 'reason'> {
  readonly why?: string;
}

/** True only when each Pod has said so: one that is known to have something else decides, then one that is not known. */
function verdict(
  { secret, staged }: Sets,
  { current, old, deferred, rejected, unknown }: Counts,
  { isComplete, trouble }: Pick<Look, 'isComplete' | 'trouble'>,
): Evaluated {
  if (secret.deferredUntil !== undefined)
    return { status: 'False', reason: deferredReason, why: `It becomes current by itself at ${secret.deferredUntil.toISOString()}. ` }; // prettier-ignore
  if (!isValid(secret))
    return { status: 'False', reason: 'StoredRejected', why: 'What is stored is rejected, and is to be nowhere. ' };
  if (trouble) return { status: 'Unknown', reason: reasonOf(trouble), why: `${trouble.message}. ${trouble.hint} ` };
  if (rejected > 0) return { status: 'False', reason: 'PodsReject' };
  const divided = dividedBy(staged);
  if (divided)
    return { status: 'False', reason: `InSome${divided}`, why: `The next set signs a share of the ${divided}. ` };
  if (old + deferred > 0) return { status: 'False', reason: 'InProgress' };
  if (!isComplete) return { status: 'Unknown', reason: 'NotAsked', why: `${unasked} ` };
  if (unknown > 0) return { status: 'Unknown', reason: 'PodsUnknown' };
  if (current === 0) return { status: 'Unknown', reason: 'NoPods' };
  return { status: 'True', reason: 'RolledOut' };
}

function describe(
  { counts, frozen, oldest }: Fleet,
  snapshotId: string | undefined,
  since: string | undefined,
): string {
  const total = podStates.reduce((sum, state) => sum + counts[state], 0);
  if (total === 0) return 'No Pod that runs is known to use it.';
  if (snapshotId !== undefined && since !== undefined)
    return `Snapshot ${snapshotId} is in all Pods that run (${total}), since ${since}.`;
  const others = podStates.filter((state) => state !== 'current' && counts[state] > 0);
  return [
    snapshotId === undefined
      ? `Pods that run: ${total}.`
      : `Pods with snapshot ${snapshotId}: ${counts.current} of ${total}.`,
    ...(others.length > 0 ? [`Others: ${others.map((state) => `${counts[state]} ${state}`).join(', ')}.`] : []),
    ...(counts.unknown > 0 ? ['Unknown ones do not answer, or do not have this credential.'] : []),
    ...(oldest ? [`Longest in use: key ${oldest.keyId}, since ${oldest.since}.`] : []),
    ...(frozen > 0 ? [`Mounts that never update (subPath): ${frozen}.`] : []),
  ].join(' ');
}
