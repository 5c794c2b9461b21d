// The status of a PaymentCredential: a function of its spec, the Secret as it is stored, the status before, and the time.
import type { ResourceSpec } from '../config/resource.ts';
import { defaults } from '../config/defaults.ts';
import type { ErrorCode, PaycertError } from '../errors.ts';
import { judgeAge } from './age.ts';
import type { Verdict } from './assess.ts';
import { soonestExpiry } from './expiry.ts';
import { requireAnnotation } from './labels.ts';
import type { Condition, Key, PaymentCredential, Status } from './resource.ts';

/** What was found out about a resource and its Secret. */
export interface Findings {
  /** Undefined when it is invalid. */
  readonly spec: ResourceSpec | undefined;
  /** Undefined when the Secret could not be read or is not there. */
  readonly verdict: Verdict | undefined;
  /** Why there is no verdict. */
  readonly error: PaycertError | undefined;
}

type Outcome = Pick<Condition, 'status' | 'reason' | 'message'>;

const reasons: Readonly<Partial<Record<ErrorCode, string>>> = { 'object-missing': 'SecretMissing' };

/** `key-mismatch` → `KeyMismatch` */
export const reasonOf = ({ code }: PaycertError): string =>
  reasons[code] ?? code.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** What is wrong and what to do. Holds no value: messages of errors never do. */
const adviceOf = ({ message, hint }: PaycertError): string => `${message}. ${hint}`;

/** Whose error says that nobody knows: the Secret may be as good as it was. */
const isUnknown = ({ code, kind }: PaycertError): boolean =>
  kind === 'internal' || (kind === 'source' && code !== 'object-missing');

export function judge(resource: PaymentCredential, findings: Findings, now: Date): Status {
  const { status: previous, generation } = resource;
  const { spec, verdict } = findings;
  const accepted = acceptedOf(verdict, previous, now);
  const rejected = rejectedOf(findings, previous, now);
  const { keys, kept, outcome: tooOld } = judgeAge(spec, verdict, previous, now);
  const { keyId, notAfter } = signerOf(verdict, previous);
  const valid = judgeValid(findings, accepted !== undefined);
  const ready = judgeReady(resource, spec, verdict, valid);
  const outcomes = { Ready: ready, Valid: valid, Expiring: judgeExpiring(keys, now), TooOld: tooOld };
  const conditions = Object.entries(outcomes).map(([type, outcome]): Condition => {
    const before = previous?.conditions.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === outcome.status ? before.lastTransitionTime : now.toISOString();
    return { type, ...outcome, lastTransitionTime, observedGeneration: generation };
  });
  return {
    observedGeneration: generation,
    ...(spec && { provider: Object.keys(spec.provider).join() }),
    ...(keyId !== undefined && { keyId }),
    ...(notAfter !== undefined && { notAfter }),
    conditions,
    ...(accepted && { accepted }),
    ...(rejected && { rejected }),
    ...(keys.length > 0 && { keys: keys.slice(0, 256) }),
    ...kept,
  };
}

const isFit = (verdict: Verdict): boolean => verdict.violations.length === 0;

function acceptedOf(verdict: Verdict | undefined, previous: Status | undefined, now: Date): Status['accepted'] {
  const before = previous?.accepted;
  if (verdict === undefined || !isFit(verdict)) return before;
  const { snapshotId, secretResourceVersion, capabilities, signer } = verdict;
  return {
    snapshotId,
    secretResourceVersion,
    time: before?.snapshotId === snapshotId ? before.time : now.toISOString(),
    ...(signer?.notBefore && { notBefore: signer.notBefore.toISOString() }),
    capabilities: [...capabilities],
  };
}

function rejectedOf({ verdict, error }: Findings, previous: Status | undefined, now: Date): Status['rejected'] {
  // Whoever cannot read it now knows no better than before.
  if (verdict === undefined) return error?.code === 'object-missing' ? undefined : previous?.rejected;
  if (isFit(verdict)) return undefined;
  const { reason, message } = judgeViolations(verdict.violations);
  const { secretResourceVersion, snapshotId, keys } = verdict;
  const before = previous?.rejected;
  const isSame = before?.secretResourceVersion === secretResourceVersion && before.reason === reason;
  const time = isSame ? before.time : now.toISOString();
  return { ...(keys.length > 0 && { snapshotId }), secretResourceVersion, time, reason, message };
}

/** Of the Secret as it is stored; while that cannot be parsed, of what was accepted. */
function signerOf(verdict: Verdict | undefined, previous: Status | undefined): Pick<Status, 'keyId' | 'notAfter'> {
  if (verdict?.signer === undefined || verdict.keys.length === 0) return previous ?? {};
  const { keyId, notAfter } = verdict.signer;
  return { keyId, ...(notAfter && { notAfter: notAfter.toISOString() }) };
}

function judgeValid({ verdict, error }: Findings, hasAccepted: boolean): Outcome {
  const goesOn = hasAccepted ? ' Sidecars that run keep what was accepted before; one that restarts has nothing.' : '';
  if (verdict === undefined) {
    if (error === undefined) throw new TypeError('neither a verdict nor an error');
    const status = isUnknown(error) ? 'Unknown' : 'False';
    return { status, reason: reasonOf(error), message: `${adviceOf(error)}${status === 'False' ? goesOn : ''}` };
  }
  if (isFit(verdict))
    return {
      status: 'True',
      reason: 'Accepted',
      message: `The Secret passes every check: snapshot ${verdict.snapshotId}.`,
    };
  const { reason, message } = judgeViolations(verdict.violations);
  return { status: 'False', reason, message: `${message}${goesOn}` };
}

function judgeViolations([first, ...others]: readonly PaycertError[]): Pick<Outcome, 'reason' | 'message'> {
  if (first === undefined) throw new TypeError('no violation');
  const more = others.length === 0 ? '' : ` Then: ${others.slice(0, 16).map(adviceOf).join(' ')}`;
  return { reason: reasonOf(first), message: `${adviceOf(first)}${more}` };
}

function judgeReady(
  { kind }: PaymentCredential,
  spec: ResourceSpec | undefined,
  verdict: Verdict | undefined,
  valid: Outcome,
): Outcome {
  if (spec?.suspend === true) {
    const message =
      'Suspended: sidecars that follow this resource have dropped it. Set spec.suspend to false to resume.';
    return { status: 'False', reason: 'Suspended', message };
  }
  if (spec === undefined || verdict === undefined || valid.status !== 'True') return valid;
  const missing = (spec.require ?? defaults.require).filter((one) => !verdict.capabilities.includes(one));
  if (missing.length === 0) return { status: 'True', reason: 'Ready', message: 'It can do what it must.' };
  const where = kind === 'Secret' ? `the annotation ${requireAnnotation}` : 'spec.require';
  const message = `It cannot ${missing.join(' or ')} with what the Secret holds. Add the part that is missing, or take it out of ${where}.`;
  return { status: 'False', reason: 'RequirementUnmet', message };
}

function judgeExpiring(keys: readonly Key[], now: Date): Outcome {
  const soonest = soonestExpiry(keys);
  if (soonest === undefined) {
    const isKnown = keys.length > 0;
    const message = isKnown ? 'None of its keys expires.' : 'No keys are known yet.';
    return { status: isKnown ? 'False' : 'Unknown', reason: isKnown ? 'NeverExpires' : 'Unknown', message };
  }
  const { key, at, warnAt } = soonest;
  const what = `certificate of the ${key.role} key ${key.id}`;
  if (at <= now)
    return {
      status: 'True',
      reason: 'Expired',
      message: `The ${what} expired at ${at.toISOString()}. Replace it now.`,
    };
  if (warnAt <= now)
    return {
      status: 'True',
      reason: 'ExpiresSoon',
      message: `The ${what} expires at ${at.toISOString()}. Have its successor deployed by then.`,
    };
  return {
    status: 'False',
    reason: 'ValidForLong',
    message: `First to expire is the ${what}, at ${at.toISOString()}.`,
  };
}
