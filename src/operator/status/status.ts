// The status of a PaymentCredential: a function of its spec, the Secret as it is stored, the previous status, and the time.
import type { Condition, PaymentCredential, Status } from '../resource.ts';
import { evaluateAge } from './age.ts';
import { boundStatus } from './bounds.ts';
import { canaryRejectedOf, evaluateCanary } from './canary.ts';
import { evaluateCertificates } from './certificates.ts';
import {
  describeViolations,
  evaluateExpiring,
  evaluateReady,
  evaluateValid,
  type Evaluation,
  isValid,
} from './conditions.ts';
import { deferredOf, evaluateDeferred } from './deferral.ts';
import type { SecretEvaluation } from './evaluate.ts';
import { evaluateExposed } from './exposed.ts';
import { historyOf } from './history.ts';
import { listedKeys } from './key-sets.ts';
import { evaluateOverridden } from './overridden.ts';
import { evaluateProgress } from './progress.ts';
import { evaluateRollout } from './rolled-out.ts';
import { evaluateStaged, setBack, stagedOf } from './staged.ts';

export function statusOf(resource: PaymentCredential, evaluation: Evaluation, now: Date): Status {
  const { status: previous, generation } = resource;
  const { spec, secret } = evaluation;
  const accepted = acceptedOf(secret, previous, now);
  const history = historyOf(accepted, secret, previous, now);
  const rejected = rejectedOf(evaluation, previous, now);
  const deferred = deferredOf(evaluation, previous, now);
  const listed = listedKeys(secret, evaluation.error, previous);
  const { keys, kept, outcome: tooOld } = evaluateAge({ listed, spec, secret }, previous, now);
  const { keyId, notAfter } = signerOf(secret, previous);
  const valid = evaluateValid(evaluation, { accepted, deferred });
  const ready = evaluateReady(resource, spec, secret, valid);
  const expiring = evaluateExpiring(keys, listed.owner, now);
  const canaryRejected = canaryRejectedOf(evaluation, previous, now);
  const beside = canaryRejected ? setBack(evaluation.staged) : evaluation.staged;
  const rollout = evaluateRollout({ ...evaluation, staged: beside }, previous, now);
  const staged = stagedOf(beside);
  const outcomes = {
    Ready: ready,
    Valid: valid,
    Deferred: evaluateDeferred(evaluation, deferred),
    Expiring: expiring,
    TooOld: tooOld,
    ...evaluateStaged(beside),
    ...evaluateCanary(canaryRejected),
    ...rollout.outcomes,
    ...evaluateProgress(ready, evaluation.error),
    ...evaluateExposed(resource, evaluation),
    ...evaluateOverridden(evaluation),
    ...evaluateCertificates(evaluation, previous),
  };
  const conditions = Object.entries(outcomes).map(([type, outcome]): Condition => {
    const before = previous?.conditions.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === outcome.status ? before.lastTransitionTime : now.toISOString();
    return { type, ...outcome, lastTransitionTime, observedGeneration: generation };
  });
  return boundStatus({
    observedGeneration: generation,
    ...(secret && { observedSecretVersion: secret.secretResourceVersion }),
    ...(spec && { provider: Object.keys(spec.provider).join() }),
    ...(keyId !== undefined && { keyId }),
    ...(notAfter !== undefined && { notAfter }),
    conditions,
    ...(accepted && { accepted }),
    ...(rejected && { rejected }),
    ...(history && { history }),
    ...(deferred && { deferred }),
    ...(staged && { staged }),
    ...(canaryRejected && { canaryRejected }),
    ...(rollout.fleet && { fleet: rollout.fleet }),
    ...(listed.owner && { keys: [...keys], keysOf: listed.owner }),
    ...(listed.acceptedKeys && { acceptedKeys: [...listed.acceptedKeys] }),
    ...kept,
  });
}

function acceptedOf(secret: SecretEvaluation | undefined, previous: Status | undefined, now: Date): Status['accepted'] {
  const before = previous?.accepted;
  if (secret === undefined || !isValid(secret)) return before;
  const { snapshotId, secretResourceVersion, capabilities, trust, signer, createdAt, usableUntil, abilities } = secret;
  return {
    snapshotId,
    secretResourceVersion,
    time: before?.snapshotId === snapshotId ? before.time : now.toISOString(),
    ...(signer?.notBefore && { notBefore: signer.notBefore.toISOString() }),
    capabilities: [...capabilities],
    ...(trust.length > 0 && { trust: [...trust] }),
    ...(createdAt instanceof Date && { createdAt: createdAt.toISOString() }),
    ...(usableUntil && { until: usableUntil.toISOString() }),
    ...abilities,
  };
}

function rejectedOf({ secret, error }: Evaluation, previous: Status | undefined, now: Date): Status['rejected'] {
  // While it cannot be read, the last known rejection stays.
  if (secret === undefined) return error?.code === 'object-missing' ? undefined : previous?.rejected;
  if (isValid(secret) || secret.deferredUntil !== undefined) return undefined;
  const { reason, message } = describeViolations(secret.violations);
  const { secretResourceVersion, snapshotId, keys } = secret;
  const before = previous?.rejected;
  const isSame = before?.secretResourceVersion === secretResourceVersion && before.reason === reason;
  const time = isSame ? before.time : now.toISOString();
  return { ...(keys.length > 0 && { snapshotId }), secretResourceVersion, time, reason, message };
}

/** Of what was accepted last: that is what sidecars sign with. */
function signerOf(
  secret: SecretEvaluation | undefined,
  previous: Status | undefined,
): Pick<Status, 'keyId' | 'notAfter'> {
  const { keyId, notAfter } = previous ?? {};
  if (secret === undefined || !isValid(secret))
    return previous?.accepted ? { ...(keyId !== undefined && { keyId }), ...(notAfter !== undefined && { notAfter }) } : {}; // prettier-ignore
  if (secret.signer === undefined) return {};
  return { keyId: secret.signer.keyId, ...(secret.signer.notAfter && { notAfter: secret.signer.notAfter.toISOString() }) }; // prettier-ignore
}
