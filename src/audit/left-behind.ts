// Directories that Pods have left on a volume that they shared: removed when all in them is older than it must be kept, and nobody writes there.
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { Audit } from './audit.ts';
import { DirectoryDisk } from './disk.ts';
import { auditFiles, findHead } from './files.ts';
import { type Directory, SharedVolume } from './shared-volume.ts';

const day = 24 * 3_600_000;

/** Who lives touches his own directory once a day. Seen unchanged so often, whatever our clock says, nobody lives there. */
const looksUnchanged = 3;

export interface LeftBehindOptions {
  /** Which all Pods have. */
  readonly root: string;
  /** The name of our own directory in it. */
  readonly own: string;
  readonly retentionMilliseconds: number;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'record' | 'written'>;
}

export class LeftBehind {
  readonly #options: LeftBehindOptions;
  readonly #volume: SharedVolume;
  /** Of each directory, when it was changed last, and how often in a row it was seen so. */
  #seen = new Map<string, { readonly changedAt: number; readonly times: number }>();

  constructor(options: LeftBehindOptions) {
    this.#options = options;
    this.#volume = new SharedVolume(options.root);
  }

  /** A look each day until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // What the disk refuses today it may allow tomorrow; that our own lines cannot be written is said elsewhere.
      await this.look().catch(() => undefined);
      await this.#options.clock.sleep(day, signal);
    }
  }

  /** Removes one directory at most: a clock that is years ahead takes no more than that from anybody in a day. */
  async look(): Promise<void> {
    const { own, clock } = this.#options;
    const now = clock.now();
    await this.#volume.touch(own, now);
    const others = (await this.#volume.list()).filter(({ name }) => name !== own);
    this.#seen = new Map(
      others.map(({ name, changedAt }) => {
        const known = this.#seen.get(name);
        const isSame = known?.changedAt === changedAt.getTime();
        return [name, { changedAt: changedAt.getTime(), times: isSame ? known.times + 1 : 1 }];
      }),
    );
    const found = others.find((other) => this.#isOver(other, now));
    if (found !== undefined) await this.#remove(found);
  }

  /** What holds nothing, or anything but files of an audit, is not a Pod's: such as `lost+found`. */
  #isOver({ name, changedAt, files }: Directory, now: Date): boolean {
    const { times = 0 } = this.#seen.get(name) ?? {};
    const isOld = now.getTime() - changedAt.getTime() >= this.#options.retentionMilliseconds;
    return isOld && times >= looksUnchanged && files.length > 0 && auditFiles(files).length === files.length;
  }

  /** A line says so before. What was written there meanwhile stays, and so does its directory. */
  async #remove({ name, files }: Directory): Promise<void> {
    const { audit, root } = this.#options;
    const { head } = await findHead(new DirectoryDisk(join(root, name)));
    const isSaid = audit.record({ type: 'removed', outcome: 'ok', directory: name, through: head.seq, files: files.length }); // prettier-ignore
    if (!isSaid) return;
    await audit.written();
    await this.#volume.remove(name, auditFiles(files).map((file) => file.name)); // prettier-ignore
  }
}
