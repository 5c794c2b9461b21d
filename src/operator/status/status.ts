// The status of a PaymentCredential: a function of its spec, the Secret as it is stored, the previous status, and the time.
import type { Condition, PaymentCredential, Status } from '../resource.ts';
import { evaluateAge } from './age.ts';
import { boundStatus } from './bounds.ts';
import {
  describeViolations,
  evaluateExpiring,
  evaluateReady,
  evaluateValid,
  type Evaluation,
  isValid,
} from './conditions.ts';
import type { SecretEvaluation } from './evaluate.ts';

export function statusOf(resource: PaymentCredential, evaluation: Evaluation, now: Date): Status {
  const { status: previous, generation } = resource;
  const { spec, secret } = evaluation;
  const accepted = acceptedOf(secret, previous, now);
  const rejected = rejectedOf(evaluation, previous, now);
  const { keys, kept, outcome: tooOld } = evaluateAge(spec, secret, previous, now);
  const { keyId, notAfter } = signerOf(secret, previous);
  const valid = evaluateValid(evaluation, accepted !== undefined);
  const ready = evaluateReady(resource, spec, secret, valid);
  const outcomes = { Ready: ready, Valid: valid, Expiring: evaluateExpiring(keys, now), TooOld: tooOld };
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
    ...(keys.length > 0 && { keys: [...keys] }),
    ...kept,
  });
}

function acceptedOf(secret: SecretEvaluation | undefined, previous: Status | undefined, now: Date): Status['accepted'] {
  const before = previous?.accepted;
  if (secret === undefined || !isValid(secret)) return before;
  const { snapshotId, secretResourceVersion, capabilities, signer } = secret;
  return {
    snapshotId,
    secretResourceVersion,
    time: before?.snapshotId === snapshotId ? before.time : now.toISOString(),
    ...(signer?.notBefore && { notBefore: signer.notBefore.toISOString() }),
    capabilities: [...capabilities],
  };
}

function rejectedOf({ secret, error }: Evaluation, previous: Status | undefined, now: Date): Status['rejected'] {
  // While it cannot be read, the last known rejection stays.
  if (secret === undefined) return error?.code === 'object-missing' ? undefined : previous?.rejected;
  if (isValid(secret)) return undefined;
  const { reason, message } = describeViolations(secret.violations);
  const { secretResourceVersion, snapshotId, keys } = secret;
  const before = previous?.rejected;
  const isSame = before?.secretResourceVersion === secretResourceVersion && before.reason === reason;
  const time = isSame ? before.time : now.toISOString();
  return { ...(keys.length > 0 && { snapshotId }), secretResourceVersion, time, reason, message };
}

/** Of the Secret as it is stored; while that cannot be parsed, of what was accepted. */
function signerOf(
  secret: SecretEvaluation | undefined,
  previous: Status | undefined,
): Pick<Status, 'keyId' | 'notAfter'> {
  if (secret?.signer === undefined || secret.keys.length === 0) return previous ?? {};
  const { keyId, notAfter } = secret.signer;
  return { keyId, ...(notAfter && { notAfter: notAfter.toISOString() }) };
}
