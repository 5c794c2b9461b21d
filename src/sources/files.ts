// Mounted files as a source: events to be quick, a poll to be sure.
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Clock, pause } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { DirectoryWatch } from './directory-watch.ts';
import { renameKeys } from './merge.ts';
import { areLocal, currentMounts, frozenMounts, memoryMountOf, mountPointsOf, type Mounts } from './mounts.ts';
import { filesLane, type Lane, memoryLane, mountLane, remoteFilesLane } from '../system/lanes.ts';
import { runForeign } from '../system/threads.ts';
import { type Reading, readPaths } from './read-files.ts';
import { type Material, material, type Source } from './source.ts';
import { Ticks } from './ticks.ts';

export interface FilesOptions {
  /** Directories or single files; their contents are united. */
  readonly paths: readonly string[];
  /** Material name → name of the file that holds it. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly pollMilliseconds: number;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** How long files that are not swapped atomically must stay quiet before they are read. */
const settleMilliseconds = 50;

/** A mount that does not answer for so long is reported. The call that hangs cannot be stopped, and is waited for further. */
const hungMilliseconds = 10_000;

export function files({ paths, keys = {}, pollMilliseconds, clock, observe }: FilesOptions): Source {
  const absolute = paths.map((path) => resolve(path));
  const name = `files:${absolute.join(',')}`;
  let isAtomic = false;
  let frozenPaths: Promise<readonly string[]> | undefined;
  const mounts = currentMounts();
  const memory = new Map(
    absolute.flatMap((path) => {
      const mount = memoryMountOf(mounts, path);
      return mount === undefined ? [] : [[path, mount] as const];
    }),
  );
  const within = areLocal(mounts, absolute) ? filesLane : remoteFilesLane;
  const lane = memory.size === absolute.length ? memoryLane : mountLane(mountPointsOf(mounts, absolute), within);
  /** One that hangs is joined: another would hang too, and hold more. */
  let pending: Promise<Reading> | undefined;

  async function readNow(signal: AbortSignal): Promise<Reading> {
    pending ??= readPaths(absolute, { lane, memory }).finally(() => (pending = undefined));
    const patience = pause(clock, hungMilliseconds, signal);
    const hung = patience.over.then(() => undefined);
    const reading = await Promise.race([pending, hung]).finally(patience.end);
    if (reading !== undefined) return reading;
    // A reader that stops waiting says nothing about the mount.
    signal.throwIfAborted();
    const [field = ''] = absolute;
    throw new PaycertError('source-unreadable', `${field} has not answered for ${hungMilliseconds / 1000} s`, {
      field,
    });
  }

  return {
    name,

    async read(signal): Promise<Material> {
      let reading = await readNow(signal);
      if (isAtomic && !reading.isAtomic) {
        // A mount that is being taken away is an empty directory for a moment.
        await clock.sleep(settleMilliseconds, signal);
        reading = await readNow(signal);
      }
      isAtomic = reading.isAtomic;
      frozenPaths ??= findFrozen(absolute, mounts, lane);
      return material(renameKeys(reading.data, keys), {
        ...(reading.changedAt && { changedAt: reading.changedAt }),
        mayBeTorn: !reading.isAtomic,
        frozenPaths: await frozenPaths,
      });
    },

    async *changes(signal) {
      const ticks = new Ticks({
        clock,
        pollMilliseconds,
        settleMilliseconds: () => (isAtomic ? 0 : settleMilliseconds),
      });
      await using watcher = new DirectoryWatch({ paths: absolute, name, lane }, observe, () => ticks.notify());
      for await (const tick of ticks.read(signal)) {
        // Not on events: they come from a watch that works, and each wait here delays a swap.
        if (tick !== 'event') await unlessAborted(watcher.ensure(), signal);
        yield tick;
      }
    },
  };
}

/** Waits for work that may never end no longer than somebody wants it. */
async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<undefined>();
  const end = () => over.resolve(undefined);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  await Promise.race([work, over.promise]).finally(() => signal.removeEventListener('abort', end));
}

async function findFrozen(paths: readonly string[], mounts: Mounts, lane: Lane): Promise<readonly string[]> {
  const isFile = async (path: string) =>
    (await runForeign(lane, () => stat(path)).catch(() => undefined))?.isFile() ?? false;
  return frozenMounts(mounts, await Promise.all(paths.map(async (path) => ({ path, isFile: await isFile(path) }))));
}
