// What ends a watch that stands and does not tell: silence on the line, and a list that is ahead of it.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { unreachable } from './responses.ts';
import type { KubeClient } from './client.ts';
import { differences, type Kept, readAll } from './listing.ts';
import type { RelistTimer } from './relist-timer.ts';
import { type Collection, describeCall } from './resources.ts';

/** The watch missed a change. */
export class Missed extends Error {}

/** The server sends a bookmark about once a minute: a watch that says nothing for longer is a dead connection. */
const idleMilliseconds = 90_000;

/** So often in that time, so that silence is noticed at its end and not up to twice as late. */
const looks = 9;

/** How long an event may be on its way before a list that is ahead of it means that it was missed. */
const graceMilliseconds = 3000;

interface Guarded {
  readonly collection: Collection;
  readonly clock: Clock;
}

/** @throws PaycertError `cluster-unreachable` when no event came for too long; returns on abort */
export async function guardSilence(
  { collection, clock }: Guarded,
  countEvents: () => number,
  signal: AbortSignal,
): Promise<void> {
  let seen = countEvents();
  for (let quiet = 0; quiet < looks;) {
    await clock.sleep(idleMilliseconds / looks, signal);
    if (signal.aborted) return;
    quiet = countEvents() === seen ? quiet + 1 : 0;
    seen = countEvents();
  }
  throw unreachable(describeCall('watch', collection), `nothing for ${idleMilliseconds / 1000} s`);
}

export interface MissedOptions extends Guarded {
  readonly client: () => Promise<Pick<KubeClient, 'list'>>;
  readonly timer: Pick<RelistTimer, 'due' | 'restart'>;
  /** As long as there will be watches; the other signal is of this one. */
  readonly lifetime: AbortSignal;
}

/**
 * Lists names and versions beside the watch: a change that the watch does not report in time counts as missed.
 * @throws Missed, or the PaycertError of a list that fails; returns on abort
 */
export async function guardEvents(
  { client, collection, clock, timer, lifetime }: MissedOptions,
  cache: () => ReadonlyMap<string, Kept<unknown>>,
  signal: AbortSignal,
): Promise<void> {
  const isOver = () => signal.aborted;
  for (;;) {
    await timer.due(signal);
    if (isOver()) return;
    timer.restart(lifetime);
    const before = new Map(cache());
    try {
      const names = { ...collection, isMetadataOnly: true };
      const { objects } = await readAll(await client(), names, () => undefined, signal);
      const suspects = differences(before, objects);
      if (suspects.length === 0) continue;
      await clock.sleep(graceMilliseconds, signal);
      if (isOver()) return;
      if (suspects.some((key) => cache().get(key) === before.get(key))) throw new Missed();
    } catch (error) {
      // An overloaded server is not helped by giving up a watch that stands.
      if (!(error instanceof PaycertError && error.code === 'cluster-failing')) throw error;
    }
  }
}
