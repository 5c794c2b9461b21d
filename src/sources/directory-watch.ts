// Tells that something happened in directories, or says that it cannot.
import { type FSWatcher, watch } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Observe } from '../events.ts';
import { type Lane, runForeign } from '../system/threads.ts';

/**
 * Watches directories, never files: a watch on a mounted file dies with the first rotation. Whatever happens in them means
 * "look again"; which event it was means nothing. When it cannot watch (ENOSPC, EMFILE) the poll continues alone. It looks at nothing
 * beside what is watched, and in the lane of the source alone: there may be a mount that hangs.
 */
export class DirectoryWatch implements Disposable {
  readonly #watched: Watched;
  readonly #observe: Observe;
  readonly #notify: () => void;
  /** By what is watched and where. */
  readonly #watchers = new Map<string, FSWatcher>();
  /** One that hangs is joined: another would hang, too. */
  #ensuring: Promise<void> | undefined;
  /** How often a directory inside may have come, or become another. */
  #moves = 0;
  #hasBegun = false;
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
  ensure(): Promise<void> {
    this.#ensuring ??= this.#ensure().finally(() => (this.#ensuring = undefined));
    return this.#ensuring;
  }

  async #ensure(): Promise<void> {
    let moves: number;
    do {
      moves = this.#moves;
      const { paths, lane } = this.#watched;
      const targets = await Promise.all(paths.map((path) => findTargets(path, lane)));
      // A mount that hung has answered after all.
      if (this.#isClosed) return;
      this.#follow(targets.flat());
    } while (moves !== this.#moves);
  }

  #follow(targets: readonly Target[]): void {
    const wanted = new Map<string, Target>();
    for (const target of targets) {
      const key = `${target.path}:${target.identity}`;
      if (target.isWhole || !wanted.has(key)) wanted.set(key, target);
    }
    this.#closeBut(this.#hasFailed ? new Set() : new Set(wanted.keys()));
    const added = [...wanted].filter(([key]) => !this.#watchers.has(key));
    const isRestart = this.#hasBegun && (this.#hasFailed || added.some(([, { isRoot }]) => isRoot));
    this.#hasBegun = true;
    this.#hasFailed = false;
    const standing = added.filter(([key, target]) => this.#start(key, target));
    if (standing.length < added.length || added.length === 0) return;
    this.#reason = undefined;
    if (isRestart) this.#observe({ type: 'watch-restarted', source: this.#watched.name });
    // What changed before the watch stood.
    this.#notify();
  }

  /** Whether it stands. */
  #start(key: string, target: Target): boolean {
    const fail = (error: unknown) => this.#fail((error as NodeJS.ErrnoException).code ?? 'unknown');
    try {
      const watcher = watch(target.path, (_, name) => this.#hear(name, target));
      this.#watchers.set(key, watcher.on('error', fail));
      return true;
    } catch (error) {
      fail(error);
      return false;
    }
  }

  #hear(name: string | null, { isWhole }: Target): void {
    if (name?.startsWith('..') === true && name !== '..data') return;
    this.#notify();
    if (!isWhole || name?.startsWith('.') === true) return;
    this.#moves += 1;
    void this.ensure();
  }

  #fail(reason: string): void {
    this.#hasFailed = true;
    if (this.#reason === reason) return;
    this.#reason = reason;
    this.#observe({ type: 'watch-failed', source: this.#watched.name, reason });
  }

  #closeBut(kept: ReadonlySet<string>): void {
    for (const [key, watcher] of this.#watchers) {
      if (kept.has(key)) continue;
      watcher.close();
      this.#watchers.delete(key);
    }
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#closeBut(new Set());
  }
}

/** What is watched, and for whom. */
interface Watched {
  readonly paths: readonly string[];
  /** Of the source. */
  readonly name: string;
  readonly lane: Lane;
}

interface Directory {
  readonly path: string;
  /** What tells it from another one at that path. */
  readonly identity: string;
}

interface Target extends Directory {
  /** What was asked for, or where that will be; not a directory inside. */
  readonly isRoot: boolean;
  /** The directory itself was asked for, not one file in it. */
  readonly isWhole: boolean;
}

/** A directory, where its links lead, with those inside; else the one in which a file is, or will be. Nothing where that is not there. */
async function findTargets(path: string, lane: Lane): Promise<readonly Target[]> {
  const itself = await findDirectory(path, lane);
  if (itself !== undefined) {
    const inside = await findInside(itself.path, lane);
    return [
      { ...itself, isRoot: true, isWhole: true },
      ...inside.map((one) => ({ ...one, isRoot: false, isWhole: false })),
    ];
  }
  const around = await findDirectory(dirname(path), lane);
  return around === undefined ? [] : [{ ...around, isRoot: true, isWhole: false }];
}

/** Not where links lead: a link is changed by putting another in its place, of which the directory tells. Kubelet's own never change. */
async function findInside(path: string, lane: Lane): Promise<readonly Directory[]> {
  const entries = await runForeign(lane, () => readdir(path, { withFileTypes: true })).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  const found = await Promise.all(names.map((name) => findDirectory(join(path, name), lane)));
  return found.filter((directory) => directory !== undefined);
}

async function findDirectory(path: string, lane: Lane): Promise<Directory | undefined> {
  try {
    const real = await runForeign(lane, () => realpath(path));
    const stats = await runForeign(lane, () => stat(real));
    return stats.isDirectory() ? { path: real, identity: `${stats.dev}/${stats.ino}` } : undefined;
  } catch {
    // Not there, or not ours to see: read() says so.
    return undefined;
  }
}
