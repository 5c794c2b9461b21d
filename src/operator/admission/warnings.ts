// What is allowed and odd about a Secret that is about to be stored: a function of it, what was accepted before, and the time.
import type { ResourceSpec } from '../../config/resource.ts';
import { roleOf } from '../../providers/roles.ts';
import type { Key, PaymentCredential, Status } from '../resource.ts';
import { evaluateExpiring, evaluateReady } from '../status/conditions.ts';
import type { SecretEvaluation } from '../status/evaluate.ts';

export interface Odd {
  readonly resource: PaymentCredential;
  readonly spec: ResourceSpec;
  readonly evaluation: SecretEvaluation;
  /** Of what was accepted before. */
  readonly status: Status | undefined;
}

/** One line each; none for what is as it should be. */
export function warningsOf(odd: Odd, now: Date): string[] {
  return [...deferral(odd), ...expiry(odd, now), ...age(odd), ...lost(odd, now), ...unproven(odd), ...requirement(odd)];
}

function deferral({ evaluation: { deferredUntil } }: Odd): string[] {
  if (deferredUntil === undefined) return [];
  return [`It is good and not valid yet: it becomes current by itself at ${deferredUntil.toISOString()}.`];
}

function expiry({ evaluation: { keys } }: Odd, now: Date): string[] {
  const { status, message } = evaluateExpiring(keys, 'Stored', now);
  return status === 'True' ? [message] : [];
}

function age({ evaluation: { signer, snapshotId }, status }: Odd): string[] {
  const { accepted } = status ?? {};
  const [then, before] = [signer?.notBefore, accepted?.notBefore];
  if (then === undefined || before === undefined || accepted?.snapshotId === snapshotId) return [];
  if (then >= new Date(before)) return [];
  return [`The certificate of the key that signs is older (${then.toISOString()}) than the current one (${before}).`];
}

/** The keys of what was accepted last. */
export const acceptedKeys = (status: Status | undefined): readonly Key[] =>
  status?.accepted === undefined ? [] : (status.acceptedKeys ?? status.keys ?? []);

/** Messages that a key verifies, which is not there any more, are refused when the overlap has ended. */
function lost({ evaluation: { keys }, status }: Odd, now: Date): string[] {
  const known = new Set(keys.map(({ fingerprint }) => fingerprint));
  const gone = acceptedKeys(status).filter(({ role, fingerprint, notAfter }) => {
    const row = roleOf(role);
    const isOver = notAfter !== undefined && new Date(notAfter) <= now;
    return row?.owner === 'peer' && row.isReplaced !== true && !isOver && !known.has(fingerprint);
  });
  const [first] = gone;
  if (first === undefined) return [];
  const others = gone.length === 1 ? '' : `, and ${gone.length - 1} more`;
  return [`It lacks the ${first.role} key ${first.id}${others}, which is still valid and was accepted before.`];
}

/** Nothing that is here proves a secret that the platform has too. */
function unproven({ evaluation: { keys }, status }: Odd): string[] {
  const known = new Set(acceptedKeys(status).map(({ role, fingerprint }) => `${role} ${fingerprint}`));
  return keys
    .filter(({ role, fingerprint }) => {
      const row = roleOf(role);
      return row?.owner === 'shared' && row.isReplaced !== true && !known.has(`${role} ${fingerprint}`);
    })
    .map(({ role }) => `The ${role} key is new and unproven: only the platform knows whether it has the same.`);
}

/** Another source of the sidecar may have what is missing. */
function requirement({ resource, spec, evaluation }: Odd): string[] {
  if (evaluation.violations.length > 0 || spec.suspend === true) return [];
  const { reason, message } = evaluateReady(resource, spec, evaluation, { status: 'True', reason: '', message: '' });
  return reason === 'RequirementUnmet' ? [message] : [];
}
