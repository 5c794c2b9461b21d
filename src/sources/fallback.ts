// Several sources of the same material, the best first: the first that is readable. A stale fallback never replaces newer material.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { mergeChanges } from './merge.ts';
import type { Material, Source } from './source.ts';

export interface FallbackOptions {
  readonly sources: readonly Source[];
  readonly clock: Clock;
  readonly observe: Observe;
}

/** What one source has yet to show. */
interface Lag {
  readonly source: Source;
  /** Revisions that were replaced here before this source showed what replaced them. */
  behind: Set<string>;
  /** Since when it has been waited for; undefined when it has caught up. */
  awaitedSince: Date | undefined;
}

/** Equal names and bytes are one revision, whichever source they come from. */
export function fallback({ sources, clock, observe }: FallbackOptions): Source {
  const name = `fallback(${sources.map((source) => source.name).join(' ')})`;
  const lags = sources.map((source): Lag => ({ source, behind: new Set(), awaitedSince: undefined }));
  let current: string | undefined;
  /** What was read last; undefined when nothing could be. */
  let chosen: Source | undefined;
  let told = sources[0];

  /** Notes what a source shows. False when it was replaced here, and this source has not shown by what. */
  function isFresh(lag: Lag, revision: string): boolean {
    if (lag.behind.has(revision)) return false;
    // It has moved on: what it shows from now on is its owner's will, a rollback included.
    lag.behind = new Set();
    if (revision === current && lag.awaitedSince !== undefined) {
      const seconds = (clock.now().getTime() - lag.awaitedSince.getTime()) / 1000;
      observe({ type: 'fallback-caught-up', source: lag.source.name, seconds });
      lag.awaitedSince = undefined;
    }
    return true;
  }

  function choose({ source }: Lag, revision: string, failure: PaycertError | undefined): void {
    if (source !== told) observe({ type: 'source-chosen', source: source.name, ...(failure && { error: failure }) });
    [chosen, told] = [source, source];
    if (revision === current) return;
    for (const other of lags.slice(sources.indexOf(source) + 1)) {
      if (current !== undefined) {
        other.behind.add(current);
        other.awaitedSince = clock.now();
      }
      other.behind.delete(revision);
    }
    current = revision;
  }

  return {
    name,

    async read(signal): Promise<Material> {
      chosen = undefined;
      let failure: PaycertError | undefined;
      let stale: Source | undefined;
      for (const lag of lags) {
        try {
          const material = await lag.source.read(signal);
          if (isFresh(lag, material.revision)) {
            choose(lag, material.revision, failure);
            return lag.source === sources[0] ? material : { ...material, fallback: lag.source.name };
          }
          stale ??= lag.source;
        } catch (error) {
          if (!(error instanceof PaycertError)) throw error;
          failure ??= error;
        }
      }
      if (stale === undefined) throw failure ?? new TypeError('a list of no sources');
      throw new PaycertError(
        'source-behind',
        `${stale.name} still has what was replaced here, and nothing newer can be read: ${failure?.message ?? ''}`,
      );
    },

    changes(signal) {
      const looking = lags.map((lag) => ({
        async *changes(until: AbortSignal) {
          for await (const tick of lag.source.changes(until)) {
            // A fallback is looked at although it is not needed now: only so is it known whether it lags.
            if (tick === 'start' || isNeeded(lag)) yield tick;
            else await look(lag, until);
          }
        },
      }));
      return mergeChanges(looking, signal);
    },
  };

  /** Whether its changes count: nothing better was readable last time. */
  function isNeeded({ source }: Lag): boolean {
    return chosen === undefined || sources.indexOf(source) <= sources.indexOf(chosen);
  }

  async function look(lag: Lag, signal: AbortSignal): Promise<void> {
    try {
      isFresh(lag, (await lag.source.read(signal)).revision);
    } catch (error) {
      // It is read again, and its failure reported, when it is needed.
      if (!(error instanceof PaycertError) && !signal.aborted) throw error;
    }
  }
}
