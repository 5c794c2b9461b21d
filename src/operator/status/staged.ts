// Of two staged sets, the one that the rest of a status is not about: what is known of it, and the condition Staged.
import { activationText } from '../../config/resource.ts';
import type { PaycertError } from '../../errors.ts';
import { beginsAt, isOfRequests } from '../../sources/activation.ts';
import { keepsOut } from '../../store/staged.ts';
import type { Status } from '../resource.ts';
import { describeViolations, type Evaluation, isUnknown, type Outcome } from './conditions.ts';
import type { SecretEvaluation, StagedEvaluation } from './evaluate.ts';

/** What some sign with one set, and others with the other. */
export const dividedBy = (staged: StagedEvaluation | undefined): 'Pods' | 'Requests' | undefined =>
  staged?.set === 'next' && staged.share > 0 ? (isOfRequests(staged.activation) ? 'Requests' : 'Pods') : undefined;

/** The activation by which a share of them tries the next set. */
export const trialOf = ({ spec, staged }: Pick<Evaluation, 'spec' | 'staged'>): string | undefined =>
  dividedBy(staged) && spec?.source.staged && activationText(spec.source.staged.activate);

/** As each sidecar follows it, once the platform has refused the set: it signs nowhere, whatever the spec says. */
export const setBack = (staged: StagedEvaluation | undefined): StagedEvaluation | undefined =>
  staged && { ...staged, activation: { percent: 0 }, share: 0 };

/** What is against it: a set that was replaced may have expired, and a next one is judged as of its time. */
export const violationsBeside = (
  set: StagedEvaluation['set'],
  { violations }: Pick<SecretEvaluation, 'violations'>,
): readonly PaycertError[] => (set === 'next' ? violations : violations.filter(keepsOut));

export function stagedOf(staged: StagedEvaluation | undefined): Status['staged'] {
  if (staged === undefined) return undefined;
  const { set, secret, activation, share, evaluation } = staged;
  const { signer } = evaluation ?? {};
  return {
    set: set === 'next' ? 'Next' : 'Current',
    secret,
    ...(evaluation && { secretResourceVersion: evaluation.secretResourceVersion, snapshotId: evaluation.snapshotId }),
    ...(signer && { keyId: signer.keyId }),
    ...(signer?.notAfter && { notAfter: signer.notAfter.toISOString() }),
    ...('at' in activation ? { at: activation.at.toISOString() } : { percent: share }),
  };
}

/** There only where two sets are staged. */
export function evaluateStaged(staged: StagedEvaluation | undefined): Readonly<Record<string, Outcome>> {
  if (staged === undefined) return {};
  const { set, secret, evaluation, error } = staged;
  const violations = evaluation ? violationsBeside(set, evaluation) : error ? [error, ...error.others] : [];
  const consequence = ' The other set signs, and is not affected.';
  if (violations.length > 0) {
    const { reason, message } = describeViolations(violations);
    const status = error && isUnknown(error) ? 'Unknown' : 'False';
    return { Staged: { status, reason, message: `Secret "${secret}": ${message}${consequence}` } };
  }
  const good = `Secret "${secret}" passes every check: snapshot ${evaluation?.snapshotId ?? ''}.`;
  return { Staged: { status: 'True', ...use(staged, good) } };
}

function use({ set, activation, share }: StagedEvaluation, good: string): Pick<Outcome, 'reason' | 'message'> {
  if (set === 'current')
    return { reason: 'Replaced', message: `${good} It verifies and decrypts; the next set signs everywhere.` };
  const until = `${good} It verifies and decrypts already, and`;
  const begins = beginsAt(activation)?.toISOString();
  if (share > 0 && isOfRequests(activation))
    return { reason: 'InSomeRequests', message: `${until} signs about ${share} of a hundred requests of each Pod.` };
  if (share > 0) return { reason: 'InSomePods', message: `${until} signs in about ${share} of a hundred Pods.` };
  if (begins === undefined) return { reason: 'Waiting', message: `${until} signs nowhere.` };
  const where = 'at' in activation ? 'everywhere' : isOfRequests(activation) ? 'a share of the requests' : 'in a share of the Pods'; // prettier-ignore
  return { reason: 'Waiting', message: `${until} signs ${where} from ${begins} on.` };
}
