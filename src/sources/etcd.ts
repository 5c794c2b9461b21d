// Keys of etcd under one prefix as a source: one range is one revision, a watch tells of changes, and a look once a minute makes up for a watch that is silent.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Entry, Etcd } from '../origins/etcd/client.ts';
import { renameKeys } from './merge.ts';
import { type Material, material, type Source } from './source.ts';

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
  /** What was read last, or the code of what was wrong. */
  let seen: string | undefined;
  /** The read under way, or the last one. */
  let reading: Promise<undefined> | undefined;
  let wasLeased = false;

  async function readNow(signal: AbortSignal): Promise<Material> {
    seen = undefined;
    try {
      const { entries } = await client.range(prefix, { keysOnly: false }, signal);
      if (entries.length === 0) {
        const why = wasLeased ? 'there is nothing any more: the lease of its keys has ended' : 'there is nothing';
        throw new PaycertError('origin-missing', `read ${prefix}: ${why}`);
      }
      seen = stateOf(entries);
      wasLeased = entries.some(({ isLeased }) => isLeased);
      const data = new Map(entries.map(({ key, value }) => [key.slice(prefix.length), value]));
      return material(renameKeys(data, keys), { version: String(latestOf(entries)) });
    } catch (error) {
      if (error instanceof PaycertError) seen = error.code;
      throw error;
    }
  }

  /** What a read would find, and as of which revision; none where etcd cannot say. */
  async function look(signal: AbortSignal): Promise<{ state: string; revision: bigint | undefined }> {
    try {
      const { entries, revision } = await client.range(prefix, { keysOnly: true }, signal);
      return { state: entries.length === 0 ? 'origin-missing' : stateOf(entries), revision };
    } catch (error) {
      if (error instanceof PaycertError) return { state: error.code, revision: undefined };
      throw error;
    }
  }

  /** False where there was no watch. What comes too late for it, the next look finds. */
  async function watch(revision: bigint, signal: AbortSignal): Promise<boolean> {
    const ended = new AbortController();
    const stop = AbortSignal.any([signal, ended.signal]);
    const watching = client.untilChanged(prefix, revision, stop).then(
      () => true,
      (error: unknown) => {
        if (error instanceof PaycertError) return false;
        if (stop.aborted) return true;
        throw error;
      },
    );
    const waiting = new AbortController();
    const longest = clock.sleep(watchMilliseconds, AbortSignal.any([signal, waiting.signal])).then(() => true);
    try {
      return await Promise.race([watching, longest]);
    } finally {
      ended.abort();
      waiting.abort();
      await watching;
    }
  }

  return {
    name: `etcd:${options.prefix}`,

    read(signal): Promise<Material> {
      const read = readNow(signal);
      reading = read.then(
        () => undefined,
        () => undefined,
      );
      return read;
    },

    async *changes(signal) {
      const isOver = () => signal.aborted;
      yield 'start';
      for (;;) {
        const found = await look(signal).catch((error: unknown) => {
          if (isOver()) return undefined;
          throw error;
        });
        // What it is about to see is no news.
        await reading;
        if (found === undefined || isOver()) return;
        if (found.state !== seen) yield 'event';
        const isWatched = found.revision !== undefined && (await watch(found.revision + 1n, signal));
        await clock.sleep(isWatched ? shortestMilliseconds : retryMilliseconds * (0.5 + random()), signal);
        if (isOver()) return;
      }
    },
  };
}

const latestOf = (entries: readonly Entry[]): bigint =>
  entries.reduce((latest, { modified }) => (modified > latest ? modified : latest), 0n);

/** A key that is written has a later revision, and one that is deleted is missing. */
const stateOf = (entries: readonly Entry[]): string => `${String(entries.length)} at ${String(latestOf(entries))}`;
