// A volume that Pods share for their audits: a directory for each, by its name.
import { lstat, readdir, rmdir, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { auditLane } from '../system/lanes.ts';
import { runForeign } from '../system/threads.ts';
import type { Listed } from './disk.ts';

export interface Directory {
  readonly name: string;
  /** When it, or the newest of what it holds, was changed last. */
  readonly changedAt: Date;
  /** All that it holds. */
  readonly files: readonly Listed[];
}

/** Rejects with what the system says. */
export class SharedVolume {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Directories only: what a link points to belongs to somebody else. */
  list(): Promise<readonly Directory[]> {
    return runForeign(auditLane, async () => {
      const found: Directory[] = [];
      for (const entry of await readdir(this.#root, { withFileTypes: true }))
        // What may not be read, as `lost+found`, or has gone meanwhile, stands in nobody's way.
        if (entry.isDirectory()) found.push(...(await this.#read(entry.name).catch(() => [])));
      return found;
    });
  }

  /** Others see that somebody lives there. */
  touch(name: string, now: Date): Promise<void> {
    return runForeign(auditLane, () => utimes(join(this.#root, name), now, now));
  }

  /** These files in their order, and then the directory, which stays if it holds anything else. */
  remove(name: string, files: readonly string[]): Promise<void> {
    return runForeign(auditLane, async () => {
      for (const file of files) await unlink(join(this.#root, name, file));
      await rmdir(join(this.#root, name));
    });
  }

  async #read(name: string): Promise<[Directory]> {
    const directory = join(this.#root, name);
    let changed = (await lstat(directory)).mtimeMs;
    const files: Listed[] = [];
    for (const file of await readdir(directory)) {
      const { size, mtimeMs } = await lstat(join(directory, file));
      changed = Math.max(changed, mtimeMs);
      files.push({ name: file, bytes: size });
    }
    return [{ name, changedAt: new Date(changed), files }];
  }
}
