// The Events that a change of status is worth: each change for the worse or the better once.
import { type Condition, deferredReason, isBad, type Status } from '../resource.ts';
import type { Kind } from '../resource-key.ts';
import { type Deferred, describeDeferral } from './conditions.ts';

export interface Notice {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
  /** Tells it apart from an equal one at another time. */
  readonly since: string;
}

/**
 * Whether a condition was reported before. A resource has a status for the details; a Secret has none, so another message
 * about its fault is reported too. So is each time that somebody has a bad Secret stored in spite of its review.
 */
export function isReported(kind: Kind, before: Status | undefined, condition: Condition): boolean {
  const { type, status, reason, message } = condition;
  const old = before?.conditions.find((condition) => condition.type === type);
  if (old?.status !== status || old.reason !== reason) return false;
  const isRepeated = kind === 'PaymentCredential' && type !== 'Overridden';
  return isRepeated || !isBad(condition, before ?? {}) || old.message === message;
}

/** For tools: they say again what Ready says. */
const repeats: ReadonlySet<string> = new Set(['Reconciling', 'Stalled']);

/** Those that are reported, in Events and in the log. */
export const reportedConditions = ({ conditions }: Status): Condition[] =>
  conditions.filter(({ type }) => !repeats.has(type));

/** The Events of a change from one status to the next. */
export function noticesOf(kind: Kind, before: Status | undefined, after: Status): Notice[] {
  const notices: Notice[] = [];
  const { accepted } = after;
  if (accepted && accepted.snapshotId !== before?.accepted?.snapshotId) {
    const note = `Snapshot ${accepted.snapshotId} is accepted: the Secret passes every check.`;
    notices.push({ type: 'Normal', reason: 'Accepted', note, since: accepted.time });
  }
  const { deferred } = after;
  if (deferred && !isSameDeferral(deferred, before?.deferred)) {
    notices.push({
      type: deferred.isBridged ? 'Normal' : 'Warning',
      reason: deferredReason,
      note: describeDeferral(deferred),
      since: `${deferred.time} ${deferred.until}`,
    });
  }
  const rolledOut = after.conditions.find(({ type }) => type === 'RolledOut');
  if (rolledOut?.status === 'True' && !isReported(kind, before, rolledOut)) {
    const note = `Snapshot ${after.fleet?.snapshotId ?? ''} is everywhere: every Pod that runs has it.`;
    notices.push({ type: 'Normal', reason: rolledOut.reason, note, since: accepted?.time ?? '' });
  }
  for (const condition of reportedConditions(after)) {
    const { type, reason, message, lastTransitionTime } = condition;
    const isFirst = before?.conditions.some((old) => old.type === type) !== true;
    const isWarning = isBad(condition, after);
    // Conditions that were good from the start, or repeat another's reason, are not reported; a deferral was, above.
    if (isReported(kind, before, condition) || notices.some((notice) => notice.reason === reason)) continue;
    if (type === 'Deferred' || reason === deferredReason || (!isWarning && isFirst)) continue;
    if (!isWarning && type !== 'Ready') continue;
    const since = after.rejected?.secretResourceVersion ?? '';
    notices.push({
      type: isWarning ? 'Warning' : 'Normal',
      reason,
      note: message,
      since: `${lastTransitionTime} ${since}`,
    });
  }
  return notices;
}

const isSameDeferral = (one: Deferred, other: Deferred | undefined): boolean =>
  one.snapshotId === other?.snapshotId && one.until === other.until && one.isBridged === other.isBridged;
