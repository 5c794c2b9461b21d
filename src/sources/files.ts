// Mounted files as a source: events to be quick, a poll to be sure. The only importer of chokidar.
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import type { Clock } from '../clock.ts';
import type { Observe } from '../events.ts';
import { mergeData, renameKeys } from './merge.ts';
import { frozenMounts } from './mounts.ts';
import { readPath } from './read-files.ts';
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

export function files({ paths, keys = {}, pollMilliseconds, clock, observe }: FilesOptions): Source {
  const absolute = paths.map((path) => resolve(path));
  const name = `files:${absolute.join(',')}`;
  let isAtomic = false;
  let frozenPaths: Promise<readonly string[]> | undefined;

  return {
    name,

    async read(): Promise<Material> {
      const readings = await Promise.all(absolute.map(readPath));
      isAtomic = readings.every((reading) => reading.isAtomic);
      frozenPaths ??= findFrozen(absolute);
      const changes = readings.flatMap(({ changedAt }) => (changedAt ? [changedAt.getTime()] : []));
      return material(renameKeys(mergeData(readings.map(({ data }) => data)), keys), {
        ...(changes.length > 0 && { changedAt: new Date(Math.max(...changes)) }),
        frozenPaths: await frozenPaths,
      });
    },

    async *changes(signal) {
      const ticks = new Ticks({
        clock,
        pollMilliseconds,
        settleMilliseconds: () => (isAtomic ? 0 : settleMilliseconds),
      });
      await using watcher = new DirectoryWatch(absolute, name, observe, () => ticks.notify());
      for await (const tick of ticks.read(signal)) {
        // Not on events: they come from a watch that works, and each wait here delays a swap.
        if (tick !== 'event') await watcher.ensure();
        yield tick;
      }
    },
  };
}

async function findFrozen(paths: readonly string[]): Promise<readonly string[]> {
  // No /proc: not Linux, and so no kubelet.
  const mountinfo = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const isFile = async (path: string) => (await stat(path).catch(() => undefined))?.isFile() ?? false;
  return frozenMounts(mountinfo, await Promise.all(paths.map(async (path) => ({ path, isFile: await isFile(path) }))));
}

/**
 * Watches directories, never files: a watch on a mounted file dies with the first rotation. Whatever happens in them means
 * "look again"; which event it was means nothing. When it cannot watch (ENOSPC, EMFILE) the poll goes on alone.
 */
class DirectoryWatch implements AsyncDisposable {
  readonly #paths: readonly string[];
  readonly #name: string;
  readonly #observe: Observe;
  readonly #notify: () => void;
  #watcher: FSWatcher | undefined;
  #identity = '';
  #hasFailed = false;

  constructor(paths: readonly string[], name: string, observe: Observe, notify: () => void) {
    this.#paths = paths;
    this.#name = name;
    this.#observe = observe;
    this.#notify = notify;
  }

  /** Starts the watch, or starts it again when it has failed or watches a directory that has been replaced. */
  async ensure(): Promise<void> {
    const directories = await Promise.all(this.#paths.map(watchedDirectory));
    const identity = directories.map(({ path, inode }) => `${path}:${inode}`).join();
    if (this.#watcher !== undefined && !this.#hasFailed && identity === this.#identity) return;
    if (this.#watcher !== undefined) {
      await this.#watcher.close();
      this.#observe({ type: 'watch-restarted', source: this.#name });
    }
    this.#identity = identity;
    this.#hasFailed = false;
    this.#watcher = watch(
      directories.map(({ path }) => path),
      { ignoreInitial: true, followSymlinks: false, depth: 1, atomic: false },
    );
    this.#watcher
      // What changed before the watch stood.
      .on('ready', this.#notify)
      // 'raw' comes at once; the others after chokidar has looked around, and for what it found by then.
      .on('raw', this.#notify)
      .on('all', this.#notify)
      .on('error', (error) => {
        this.#hasFailed = true;
        this.#observe({
          type: 'watch-failed',
          source: this.#name,
          reason: (error as NodeJS.ErrnoException).code ?? 'unknown',
        });
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watcher?.close();
  }
}

/** A directory itself, the directory of a file; 0 for what is not there yet. */
async function watchedDirectory(path: string): Promise<{ path: string; inode: number }> {
  try {
    const stats = await stat(path);
    const directory = stats.isDirectory() ? path : dirname(path);
    return { path: directory, inode: stats.isDirectory() ? stats.ino : (await stat(directory)).ino };
  } catch {
    return { path: dirname(path), inode: 0 };
  }
}
