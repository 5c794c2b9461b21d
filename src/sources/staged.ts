// Source → Source: two sets of one credential, of which one signs: the current one, and the next one from its activation on.
import { createHash } from 'node:crypto';
import { type Clock, longestSleep } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { mergeChanges } from './merge.ts';
import { type Activation, type Material, material, type Source, type Tick } from './source.ts';

export interface StagedOptions {
  readonly current: Source;
  readonly next: Source;
  readonly activation: Activation;
  /** What tells this pod from the others. */
  readonly pod: string;
  readonly clock: Clock;
}

/**
 * Whether the next set signs. All pods agree without talking: the same pods for a set as long as its name stays, more of
 * them as the share grows, and others for another set.
 */
export function isActivated(
  activation: Activation,
  { now, pod, next }: { now: Date; pod: string; next: string },
): boolean {
  if ('at' in activation) return activation.at <= now;
  const place = createHash('sha256')
    .update(JSON.stringify([pod, next]))
    .digest()
    .readUInt32BE();
  return place / 2 ** 32 < activation.percent / 100;
}

/** What cannot be read of the set that does not sign is said, and stands in nobody's way. */
export function staged({ current, next, activation, pod, clock }: StagedOptions): Source {
  const isActive = () => isActivated(activation, { now: clock.now(), pod, next: next.name });

  async function* due(signal: AbortSignal): AsyncGenerator<Tick, void, undefined> {
    yield 'start';
    const isOver = () => signal.aborted;
    let before = isActive();
    while (!isOver()) {
      const left = 'at' in activation ? activation.at.getTime() - clock.now().getTime() : 0;
      await clock.sleep(left > 0 ? left : longestSleep, signal);
      if (!isOver() && isActive() !== before) yield 'event';
      before = isActive();
    }
  }

  return {
    name: `staged(${current.name} ${next.name})`,

    async read(signal): Promise<Material> {
      const active = isActive();
      const [signing, beside] = active ? [next, current] : [current, next];
      const [{ data, revision, changedAt, ...about }, other] = await Promise.all([
        signing.read(signal),
        settled(beside.read(signal)),
      ]);
      return material(data, {
        ...about,
        // That of an activated set is when it was activated, which no origin says of a share.
        ...(changedAt && !active && { changedAt }),
        ...(other instanceof PaycertError ? {} : unitedOf(about, other)),
        staged: { isActive: active, activation, other: other instanceof PaycertError ? other : other.data },
      });
    },

    changes: (signal) => mergeChanges([current, next, { changes: due }], signal),
  };
}

/** What somebody should know of either set. */
const unitedOf = (one: Partial<Material>, other: Material): Partial<Material> => ({
  mayBeTorn: one.mayBeTorn === true || other.mayBeTorn === true,
  frozenPaths: [...(one.frozenPaths ?? []), ...(other.frozenPaths ?? [])],
  copies: [...(one.copies ?? []), ...(other.copies ?? [])],
});

async function settled(read: Promise<Material>): Promise<Material | PaycertError> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof PaycertError) return error;
    throw error;
  }
}
