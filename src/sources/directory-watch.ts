// Tells that something happened in directories, or says that it cannot. The only importer of chokidar.
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import type { Observe } from '../events.ts';
import type { Lane } from '../system/lanes.ts';
import { runForeign } from '../system/threads.ts';
import { currentMounts, hasRemoteInside } from './mounts.ts';

/**
 * Watches directories, never files: a watch on a mounted file dies with the first rotation. Whatever happens in them means
 * "look again"; which event it was means nothing. When it cannot watch (ENOSPC, EMFILE) the poll continues alone; so it does for a
 * directory in which there are mounts of other machines or of programs. Chokidar looks at everything there, in no lane.
 */
export class DirectoryWatch implements AsyncDisposable {
  readonly #watched: Watched;
  readonly #observe: Observe;
  readonly #notify: () => void;
  #watcher: FSWatcher | undefined;
  #identity = '';
  #hasFailed = false;
  #isClosed = false;
  /** The failure told last: the same one again, at every poll, is no news. */
  #reason: string | undefined;

  constructor(watched: Watched, observe: Observe, notify: () => void) {
    this.#watched = watched;
    this.#observe = observe;
    this.#notify = notify;
  }

  /** Starts the watch, or starts it again when it has failed or watches a directory that has been replaced. */
  async ensure(): Promise<void> {
    const found = await Promise.all(this.#watched.paths.map((path) => findTarget(path, this.#watched.lane)));
    const targets = found.filter(({ path }) => !hasRemoteInside(currentMounts(), path));
    if (targets.length < found.length) this.#say('remote-mounts-inside');
    const identity = targets.map(({ path, inode }) => `${path}:${inode}`).join();
    if (this.#watcher !== undefined && !this.#hasFailed && identity === this.#identity) return;
    const isRestart = this.#watcher !== undefined;
    await this.#watcher?.close();
    // A mount that hung has answered after all.
    if (this.#isClosed) return;
    this.#identity = identity;
    this.#hasFailed = false;
    this.#watcher = targets.length === 0 ? undefined : this.#start(targets, isRestart);
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
      ignored: (path, stats) =>
        !roots.has(path) &&
        // A link is changed by putting another in its place, of which the directory tells; where it leads is not looked at.
        (stats?.isSymbolicLink() === true ||
          basename(path).startsWith('.') ||
          (roots.has(dirname(path)) && !whole.has(dirname(path)))),
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
    this.#say(reason);
  }

  #say(reason: string): void {
    if (this.#reason === reason) return;
    this.#reason = reason;
    this.#observe({ type: 'watch-failed', source: this.#watched.name, reason });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#watcher?.close();
  }
}

/** Kubelet makes a swap ready under names that begin in this way. Reading then would only be in the way of reading the swap. */
const isPreparation = (name: string | null): boolean => name !== null && name.startsWith('..') && name !== '..data';

/** What is watched, and for whom. */
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
