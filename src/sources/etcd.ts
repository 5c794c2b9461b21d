// Keys of etcd under one prefix as a source: one range is one revision, a watch tells of changes, and a look once a minute makes up for a watch that is silent.
import { type Clock, pause } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Entry, Etcd } from '../origins/etcd/client.ts';
import { followed } from './followed.ts';
import { renameKeys } from './merge.ts';
import { material, type Source } from './source.ts';

export interface EtcdSourceOptions {
  readonly etcd: Pick<Etcd, 'range' | 'untilChanged'>;
  /** Without a `/` at its end: what is under it counts. */
  readonly prefix: string;
  /** Material name → key under the prefix that holds it. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: () => number;
}

/** A connection may be dead and silent: no watch is trusted for longer. */
const watchMilliseconds = 60_000;
const retryMilliseconds = 2000;
/** Between two watches, so that a busy prefix is not a loop without a pause. */
const shortestMilliseconds = 20;

export function etcd(options: EtcdSourceOptions): Source {
  const { etcd: client, keys = {}, clock, random } = options;
  const prefix = `${options.prefix}/`;
  let wasLeased = false;

  /** False where there was no watch. What comes too late for it, the next look finds. */
  async function watch(revision: bigint, signal: AbortSignal): Promise<boolean> {
    const ended = new AbortController();
    const longest = pause(clock, watchMilliseconds, signal);
    const watching = client.untilChanged(prefix, revision, ended.signal).then(
      () => true,
      (error: unknown) => {
        if (error instanceof PaycertError) return false;
        if (ended.signal.aborted) return true;
        throw error;
      },
    );
    try {
      return await Promise.race([watching, longest.over.then(() => true)]);
    } finally {
      longest.end();
      ended.abort();
      await watching;
    }
  }

  return followed<bigint>({
    name: `etcd:${options.prefix}`,

    async read(signal) {
      const { entries } = await client.range(prefix, { keysOnly: false }, signal);
      if (entries.length === 0) {
        const why = wasLeased ? 'there is nothing any more: the lease of its keys has ended' : 'there is nothing';
        throw new PaycertError('origin-missing', `read ${prefix}: ${why}`);
      }
      wasLeased = entries.some(({ isLeased }) => isLeased);
      const data = new Map(entries.map(({ key, value }) => [key.slice(prefix.length), value]));
      const version = String(latestOf(entries));
      return { material: material(renameKeys(data, keys), { version }), state: stateOf(entries) };
    },

    follow: () => ({
      async look(signal) {
        const { entries, revision } = await client.range(prefix, { keysOnly: true }, signal);
        return { state: entries.length === 0 ? 'origin-missing' : stateOf(entries), position: revision };
      },

      async pause(revision, signal) {
        const isWatched = revision !== undefined && (await watch(revision + 1n, signal));
        await clock.sleep(isWatched ? shortestMilliseconds : retryMilliseconds * (0.5 + random()), signal);
      },
    }),
  });
}

const latestOf = (entries: readonly Entry[]): bigint =>
  entries.reduce((latest, { modified }) => (modified > latest ? modified : latest), 0n);

/** A key that is written has a later revision, and one that is deleted is missing. */
const stateOf = (entries: readonly Entry[]): string => `${String(entries.length)} at ${String(latestOf(entries))}`;
