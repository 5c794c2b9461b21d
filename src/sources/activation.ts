// When the next of two staged sets signs, as functions of an activation and the time alone: every pod, and the operator, finds the same.
import { createHash } from 'node:crypto';
import type { Activation } from './source.ts';

interface Stretch {
  readonly from: number;
  readonly percent: number;
}

/** The share from each time on; before the first it is zero. */
function stretchesOf(activation: Activation): readonly Stretch[] {
  if ('at' in activation) return [{ from: activation.at.getTime(), percent: 100 }];
  if ('percent' in activation) return [{ from: -Infinity, percent: activation.percent }];
  let from = activation.from.getTime();
  const steps = activation.steps.map(({ percent, milliseconds }) => {
    const stretch = { from, percent };
    from += milliseconds;
    return stretch;
  });
  return [...steps, { from, percent: 100 }];
}

/** In how many pods of a hundred, or how many calls of a hundred, the next set signs. */
export const shareAt = (activation: Activation, now: Date): number =>
  stretchesOf(activation).findLast(({ from }) => from <= now.getTime())?.percent ?? 0;

/** When that changes next; undefined where it does not. */
export function changesAt(activation: Activation, now: Date): Date | undefined {
  const next = stretchesOf(activation).find(({ from }) => from > now.getTime());
  return next && new Date(next.from);
}

/** When it begins, where that is a time. */
export const beginsAt = (activation: Activation): Date | undefined =>
  'at' in activation ? activation.at : 'from' in activation ? activation.from : undefined;

/** Whether the next set signs everything in every pod. */
export const isEverywhere = (activation: Activation, now: Date): boolean => shareAt(activation, now) === 100;

/** Whether its share is of the calls in each pod. */
export const isOfRequests = (activation: Activation): boolean => 'of' in activation;

/** From 0 to 1, and the same in every process. */
const placeOf = (...names: readonly string[]): number =>
  createHash('sha256').update(JSON.stringify(names)).digest().readUInt32BE() / 2 ** 32;

/**
 * What the next set signs in a pod. All pods agree without talking: the same pods for a set as long as its name stays, more
 * of them as the share grows, and others for another set.
 */
export function signsIn(
  activation: Activation,
  { now, pod, next }: { now: Date; pod: string; next: string },
): 'nothing' | 'some' | 'everything' {
  const share = shareAt(activation, now);
  if (isOfRequests(activation) && share > 0 && share < 100) return 'some';
  return placeOf(pod, next) < share / 100 ? 'everything' : 'nothing';
}

/** Whether the next set signs that call, where it signs some: in whichever pod, and still when the share has grown. */
export const signsCall = (share: number, { call, next }: { call: string; next: string }): boolean =>
  placeOf(call, next) < share / 100;
