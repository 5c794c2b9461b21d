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

/** In how many pods of a hundred the next set signs. */
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

/** Whether the next set signs in every pod. */
export const isEverywhere = (activation: Activation, now: Date): boolean => shareAt(activation, now) === 100;

/**
 * Whether the next set signs. All pods agree without talking: the same pods for a set as long as its name stays, more of
 * them as the share grows, and others for another set.
 */
export function isActivated(
  activation: Activation,
  { now, pod, next }: { now: Date; pod: string; next: string },
): boolean {
  const place = createHash('sha256')
    .update(JSON.stringify([pod, next]))
    .digest()
    .readUInt32BE();
  return place / 2 ** 32 < shareAt(activation, now) / 100;
}
