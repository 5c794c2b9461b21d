// A next set that its platform refuses in some Pod: known from what sidecars say, kept in the status, and set back everywhere by it.
import { activationText, isOnTrial } from '../../config/resource.ts';
import type { Status } from '../resource.ts';
import type { Evaluation, Outcome } from './conditions.ts';

/** It stays until its Secret holds another set, or the activation is another one: then it is another trial. */
export function canaryRejectedOf(
  { spec, staged, fleet }: Evaluation,
  previous: Status | undefined,
  now: Date,
): Status['canaryRejected'] {
  const activate = spec?.source.staged?.activate;
  const snapshotId = staged?.evaluation?.snapshotId;
  const before = previous?.canaryRejected;
  if (activate === undefined || !isOnTrial(activate)) return undefined;
  const activation = activationText(activate);
  // What cannot be read now stays as it was.
  if (before?.activation === activation && (snapshotId ?? before.snapshotId) === before.snapshotId) return before;
  if (staged?.set !== 'next' || snapshotId === undefined || fleet === undefined || fleet === 'standby')
    return undefined;
  const isRefused = fleet.pods.some(({ sighting }) => sighting?.canaryRejected === snapshotId);
  return isRefused ? { snapshotId, secret: staged.secret, activation, time: now.toISOString() } : undefined;
}

export function evaluateCanary(rejected: Status['canaryRejected']): Readonly<Record<string, Outcome>> {
  if (rejected === undefined) return {};
  const { secret, snapshotId, time } = rejected;
  const message = `The platform refuses signatures of Secret "${secret}" (snapshot ${snapshotId}), as a Pod said at ${time}. It signs nowhere now; the current set does. Repair it, then promote it again; or roll back.`;
  return { CanaryRejected: { status: 'True', reason: 'SignaturesRefused', message } };
}
