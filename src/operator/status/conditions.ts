// The conditions Ready, Valid and Expiring of a status: functions of the evaluation and the time.
import type { ResourceSpec } from '../../config/resource.ts';
import { defaults } from '../../config/defaults.ts';
import type { CertificateListState } from '../../events.ts';
import type { ErrorCode, PaycertError } from '../../errors.ts';
import { requireAnnotation, usedByLabel } from '../labels.ts';
import { roleOf } from '../../providers/roles.ts';
import { type Condition, deferredReason, type Key, type PaymentCredential, type Status } from '../resource.ts';
import type { Look } from '../fleet/view.ts';
import type { SecretEvaluation, StagedEvaluation } from './evaluate.ts';
import { soonestExpiry } from './expiry.ts';

/** What was found out about a resource and its Secret. */
export interface Evaluation {
  /** Undefined when it is invalid. */
  readonly spec: ResourceSpec | undefined;
  /** Undefined when the Secret could not be read or does not exist. */
  readonly secret: SecretEvaluation | undefined;
  /** Why there is no `secret`. */
  readonly error: PaycertError | undefined;
  /** The Secret, where an annotation has a copy of what it held. */
  readonly copiedIn?: { readonly secret: string; readonly annotations: readonly string[] };
  /** Writes are reviewed, and not those of this Secret: it has no label that the webhook's selectors see. */
  readonly isUnreviewed?: boolean;
  /** Writes are reviewed, and until then the break-glass annotation of the Secret lets it past that. */
  readonly breakGlass?: Date;
  /** Of a labelled Secret: it belongs to another account than when it was evaluated last. */
  readonly moved?: PaycertError | undefined;
  /** Of two staged sets, the one that the status is not about. */
  readonly staged?: StagedEvaluation | undefined;
  /** What came of downloading the certificates of the platform; `off`: nothing is downloaded. */
  readonly certificates?: CertificateListState | 'off' | undefined;
  /** What Pods have, where sidecars are asked; `standby`: another replica asks them. */
  readonly fleet?: Look | 'standby' | undefined;
}

export type Outcome = Pick<Condition, 'status' | 'reason' | 'message'>;

const reasons: Readonly<Partial<Record<ErrorCode, string>>> = { 'object-missing': 'SecretMissing' };

/** `key-mismatch` → `KeyMismatch` */
export const reasonOf = ({ code }: PaycertError): string =>
  reasons[code] ?? code.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** What is wrong and what to do. Holds no secret: messages of errors never do. */
const adviceOf = ({ message, hint }: PaycertError): string => `${message}. ${hint}`;

/** Errors that say nothing about the Secret, which may be as good as it was. */
export const isUnknown = ({ code, kind }: PaycertError): boolean =>
  kind === 'internal' || (kind === 'source' && code !== 'object-missing');

export const isValid = ({ violations }: SecretEvaluation): boolean => violations.length === 0;

/** What the status keeps of sets before, and of one that waits. */
interface Known {
  readonly accepted: Status['accepted'];
  readonly deferred: Status['deferred'];
}

const unreviewed = ` It has no label ${usedByLabel}: what is written to it is not reviewed before it is stored.`;

export function evaluateValid({ secret, error, isUnreviewed }: Evaluation, { accepted, deferred }: Known): Outcome {
  const consequence = accepted
    ? ' Sidecars that run keep what was accepted before; one that restarts has nothing.'
    : '';
  if (secret === undefined) {
    if (error === undefined) throw new TypeError('neither an evaluated Secret nor an error');
    const status = isUnknown(error) ? 'Unknown' : 'False';
    const { reason, message } = describeViolations([error, ...error.others]);
    return { status, reason, message: `${message}${status === 'False' ? consequence : ''}` };
  }
  if (isValid(secret))
    return {
      status: 'True',
      reason: 'Accepted',
      message: `The Secret passes every check: snapshot ${secret.snapshotId}.${isUnreviewed === true ? unreviewed : ''}`,
    };
  if (deferred !== undefined) return { status: 'False', reason: deferredReason, message: describeDeferral(deferred) };
  const { reason, message } = describeViolations(secret.violations);
  return { status: 'False', reason, message: `${message}${consequence}` };
}

export function describeViolations([first, ...others]: readonly PaycertError[]): Pick<Outcome, 'reason' | 'message'> {
  if (first === undefined) throw new TypeError('no violation');
  const more = others.length === 0 ? '' : ` Then: ${others.slice(0, 16).map(adviceOf).join(' ')}`;
  return { reason: reasonOf(first), message: `${adviceOf(first)}${more}` };
}

export type Deferred = NonNullable<Status['deferred']>;

export function describeDeferral({ until, isBridged }: Deferred): string {
  const then = `The Secret is good and not valid yet: it becomes current by itself at ${until}.`;
  return isBridged
    ? `${then} Sidecars that run keep what was accepted before; do not restart them until then.`
    : `${then} Nothing that was accepted lasts until then. Put a set back that is valid now.`;
}

export function evaluateReady(
  { kind }: PaymentCredential,
  spec: ResourceSpec | undefined,
  secret: SecretEvaluation | undefined,
  valid: Outcome,
): Outcome {
  if (spec?.suspend === true) {
    const message =
      'Suspended: sidecars that follow this resource have dropped it. Set spec.suspend to false to resume.';
    return { status: 'False', reason: 'Suspended', message };
  }
  if (spec === undefined || secret === undefined || valid.status !== 'True') return valid;
  const missing = (spec.require ?? defaults.require).filter((one) => !secret.capabilities.includes(one));
  if (missing.length === 0) return { status: 'True', reason: 'Ready', message: 'It has every required capability.' };
  const where = kind === 'Secret' ? `the annotation ${requireAnnotation}` : 'spec.require';
  const message = `It cannot ${missing.join(' or ')} with what the Secret holds. Add the part that is missing, or take it out of ${where}.`;
  return { status: 'False', reason: 'RequirementUnmet', message };
}

/** The message says whose keys they are where it is not those of the Secret as it is stored. */
export function evaluateExpiring(keys: readonly Key[], owner: Status['keysOf'], now: Date): Outcome {
  const outcome = expiryOf(keys, now);
  if (owner !== 'Accepted') return outcome;
  const remark = ' This is about what was accepted last: what is stored now has no keys to look at.';
  return { ...outcome, message: `${outcome.message}${remark}` };
}

function expiryOf(keys: readonly Key[], now: Date): Outcome {
  const soonest = soonestExpiry(keys);
  if (soonest === undefined) {
    const isKnown = keys.length > 0;
    const message = isKnown ? 'None of its keys expires.' : 'No keys are known yet.';
    return { status: isKnown ? 'False' : 'Unknown', reason: isKnown ? 'NeverExpires' : 'Unknown', message };
  }
  const { key, at, warnAt } = soonest;
  const what = `${roleOf(key.role)?.expiry?.name ?? 'certificate'} of the ${key.role} key ${key.id}`;
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
