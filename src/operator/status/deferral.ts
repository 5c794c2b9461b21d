// What is stored, good and not valid yet: when it becomes current by itself, and whether what was accepted lasts until then.
import { defaults } from '../../config/defaults.ts';
import type { Status } from '../resource.ts';
import { describeDeferral, type Evaluation, type Outcome, reasonOf } from './conditions.ts';

/** Of the Secret as it is stored; while that cannot be read, as it was known last. */
export function deferredOf(
  { spec, secret, error }: Evaluation,
  previous: Status | undefined,
  now: Date,
): Status['deferred'] {
  if (secret === undefined) return error?.code === 'object-missing' ? undefined : previous?.deferred;
  const { snapshotId, secretResourceVersion, deferredUntil, violations } = secret;
  const [first] = violations;
  if (deferredUntil === undefined || first === undefined) return undefined;
  const before = previous?.deferred;
  return {
    snapshotId,
    secretResourceVersion,
    time: before?.snapshotId === snapshotId ? before.time : now.toISOString(),
    until: deferredUntil.toISOString(),
    reason: reasonOf(first),
    isBridged: lasts(previous?.accepted, spec?.require ?? defaults.require, deferredUntil),
  };
}

function lasts(accepted: Status['accepted'], required: readonly string[], until: Date): boolean {
  if (accepted === undefined || required.some((one) => !accepted.capabilities.includes(one))) return false;
  return accepted.until === undefined || new Date(accepted.until) >= until;
}

/** The condition of its own: when it becomes current, and why not now. */
export function evaluateDeferred({ secret, error }: Evaluation, deferred: Status['deferred']): Outcome {
  if (deferred !== undefined) {
    const [first] = secret?.violations ?? [];
    const why = first === undefined ? '' : ` ${first.message}.`;
    return { status: 'True', reason: deferred.reason, message: `${describeDeferral(deferred)}${why}` };
  }
  if (secret === undefined && error?.code !== 'object-missing')
    return { status: 'Unknown', reason: 'Unknown', message: 'The Secret cannot be read.' };
  return { status: 'False', reason: 'NotDeferred', message: 'Nothing that is stored waits for its time.' };
}
