// Mounted files as a source: events to be quick, a poll to be sure. The only importer of chokidar.
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { isolate, type Observe } from '../events.ts';
import { renameKeys } from './merge.ts';
import { frozenMounts } from './mounts.ts';
import { readBounded } from '../system/read-bounded.ts';
import { type Lane, mountLane, runForeign } from '../system/threads.ts';
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
  const lane = mountLane();
  /** One that hangs is joined: another would hang too, and hold more. */
  let pending: Promise<Reading> | undefined;

  async function readNow(signal: AbortSignal): Promise<Reading> {
    pending ??= readPaths(absolute, lane).finally(() => (pending = undefined));
    const waiting = new AbortController();
    const hung = clock.sleep(hungMilliseconds, AbortSignal.any([signal, waiting.signal])).then(() => undefined);
    const reading = await Promise.race([pending, hung]).finally(() => waiting.abort());
    if (reading !== undefined) return reading;
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
      frozenPaths ??= findFrozen(absolute, lane);
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
      await using watcher = new DirectoryWatch({ paths: absolute, name, lane }, isolate(observe), () => ticks.notify());
      for await (const tick of ticks.read(signal)) {
        // Not on events: they come from a watch that works, and each wait here delays a swap.
        if (tick !== 'event') await watcher.ensure();
        yield tick;
      }
    },
  };
}

async function findFrozen(paths: readonly string[], lane: Lane): Promise<readonly string[]> {
  // No /proc: not Linux, and so no kubelet.
  const mountinfo = await readBounded('/proc/self/mountinfo').then(
    ({ bytes }) => bytes.toString(),
    () => '',
  );
  const isFile = async (path: string) =>
    (await runForeign(lane, () => stat(path)).catch(() => undefined))?.isFile() ?? false;
  return frozenMounts(mountinfo, await Promise.all(paths.map(async (path) => ({ path, isFile: await isFile(path) }))));
}

/**
 * Watches directories, never files: a watch on a mounted file dies with the first rotation. Whatever happens in them means
 * "look again"; which event it was means nothing. When it cannot watch (ENOSPC, EMFILE) the poll continues alone.
 */
class DirectoryWatch implements AsyncDisposable {
  readonly #watched: Watched;
  readonly #observe: Observe;
  readonly #notify: () => void;
  #watcher: FSWatcher | undefined;
  #identity = '';
  #hasFailed = false;
  /** The failure told last: the same one again, at every poll, is no news. */
  #reason: string | undefined;

  constructor(watched: Watched, observe: Observe, notify: () => void) {
    this.#watched = watched;
    this.#observe = observe;
    this.#notify = notify;
  }

  /** Starts the watch, or starts it again when it has failed or watches a directory that has been replaced. */
  async ensure(): Promise<void> {
    const targets = await Promise.all(this.#watched.paths.map((path) => findTarget(path, this.#watched.lane)));
    const identity = targets.map(({ path, inode }) => `${path}:${inode}`).join();
    if (this.#watcher !== undefined && !this.#hasFailed && identity === this.#identity) return;
    const isRestart = this.#watcher !== undefined;
    await this.#watcher?.close();
    this.#identity = identity;
    this.#hasFailed = false;
    this.#watcher = this.#start(targets, isRestart);
  }

  #start(targets: readonly Target[], isRestart: boolean): FSWatcher {
    const roots = new Set(targets.map(({ path }) => path));
    const whole = new Set(targets.filter(({ isWhole }) => isWhole).map(({ path }) => path));
    const watcher = watch([...roots], {
      ignoreInitial: true,
      followSymlinks: false,
      depth: 1,
      atomic: false,
      // The watch on a root tells of everything in it. What is beside a single file may be the whole of /etc, and
      // kubelet's timestamped directories never change.
      ignored: (path) =>
        !roots.has(path) && (basename(path).startsWith('.') || (roots.has(dirname(path)) && !whole.has(dirname(path)))),
    });
    return (
      watcher
        .on('ready', () => {
          if (!this.#hasFailed) {
            this.#reason = undefined;
            if (isRestart) this.#observe({ type: 'watch-restarted', source: this.#watched.name });
          }
          // What changed before the watch stood.
          this.#notify();
        })
        // 'raw' comes at once; the others after chokidar has looked around, and for what it found by then.
        .on('raw', (_, name) => {
          if (!isPreparation(name)) this.#notify();
        })
        .on('all', this.#notify)
        .on('error', (error) => this.#fail((error as NodeJS.ErrnoException).code ?? 'unknown'))
    );
  }

  #fail(reason: string): void {
    this.#hasFailed = true;
    if (this.#reason === reason) return;
    this.#reason = reason;
    this.#observe({ type: 'watch-failed', source: this.#watched.name, reason });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watcher?.close();
  }
}

/** Kubelet makes a swap ready under names that begin in this way. Reading then would only be in the way of reading the swap. */
const isPreparation = (name: string | null): boolean => name !== null && name.startsWith('..') && name !== '..data';

interface Watched {
  readonly paths: readonly string[];
  /** Of the source. */
  readonly name: string;
  readonly lane: Lane;
}

interface Target {
  readonly path: string;
  /** 0 for what is not there. */
  readonly inode: number;
  /** The directory itself was asked for, not one file in it. */
  readonly isWhole: boolean;
}

/** A directory, where its links lead; else the one in which a file is, or will be. */
async function findTarget(path: string, lane: Lane): Promise<Target> {
  const itself = await findDirectory(path, lane);
  if (itself !== undefined) return { ...itself, isWhole: true };
  return { ...((await findDirectory(dirname(path), lane)) ?? { path: dirname(path), inode: 0 }), isWhole: false };
}

async function findDirectory(path: string, lane: Lane): Promise<{ path: string; inode: number } | undefined> {
  try {
    const real = await runForeign(lane, () => realpath(path));
    const stats = await runForeign(lane, () => stat(real));
    return stats.isDirectory() ? { path: real, inode: stats.ino } : undefined;
  } catch {
    // Not there, or not ours to see: read() says so.
    return undefined;
  }
}
