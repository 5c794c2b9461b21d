// Writes the lines of an audit into files, one batch after the other: rotated, removed in time, and tried again when the disk refuses.
import type { Clock } from '../clock.ts';
import type { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { hashOf, type Head } from './chain.ts';
import type { AppendedFile, Disk } from './disk.ts';
import { type AuditFile, findHead, nameOf } from './files.ts';
import { dueRemoval, type Keeping, type Removal } from './retention.ts';
import { type AuditSink, unavailable } from './sink.ts';

export interface VolumeOptions extends Keeping {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly observe: Observe;
  /** When another file is begun, after its first line. */
  readonly rotateMilliseconds: number;
  readonly fsync: 'batch' | 'second' | 'never';
  /** How long lines that nobody waits for are gathered, so that a write has many of them. */
  readonly gatherMilliseconds: number;
  /** Writes down what will be removed; false where there is no room for that. */
  readonly announce: (removal: Removal) => boolean;
}

/** What may wait for the disk: some ten thousand lines. */
const maxWaitingBytes = 4 * 1024 * 1024;
const retryMilliseconds = 1000;
/** Longer than that, a write hangs. */
const patienceMilliseconds = 5000;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: PaycertError) => void;
}

export class AuditVolume implements AuditSink {
  readonly #options: VolumeOptions;
  readonly #stop = new AbortController();
  /** Those before the current one. */
  #closed: readonly AuditFile[] = [];
  #current: (AuditFile & { readonly file: AppendedFile }) | undefined;
  #resumed: AuditFile | undefined;
  #lines: string[] = [];
  #firstSeq = 0;
  #end: Head | undefined;
  /** Of the batch that is written now, its last line. */
  #next: Head | undefined;
  #waitingBytes = 0;
  /** Of the batch that is written now. */
  #rest: Buffer = Buffer.alloc(0);
  #waiters: Waiter[] = [];
  #batchWaiters: Waiter[] = [];
  /** Removed once the line that says so is written. */
  #announced: readonly AuditFile[] = [];
  #running: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #failure: PaycertError | undefined;
  #failedAt: Date | undefined;

  constructor(options: VolumeOptions) {
    this.#options = options;
  }

  /** Why the last write was not made, or hangs; undefined while all is well. */
  get failure(): PaycertError | undefined {
    return this.#failure;
  }

  get failingSince(): Date | undefined {
    return this.#failure === undefined ? undefined : this.#failedAt;
  }

  /** Where the chain continues. Tried until the directory can be read; undefined when it is closed before. */
  async open(): Promise<Head | undefined> {
    const { disk, clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        const { files, head, isWhole } = await this.#watched(findHead(disk));
        this.#resumed = isWhole ? files.at(-1) : undefined;
        this.#closed = isWhole ? files.slice(0, -1) : files;
        this.#end = head;
        this.#recover();
        return head;
      } catch (error) {
        this.#fail(error);
        await clock.sleep(retryMilliseconds, this.#stop.signal);
      }
    }
    return undefined;
  }

  /** The last line that is written; undefined until the directory has been read. */
  get end(): Head | undefined {
    return this.#end;
  }

  get hasRoom(): boolean {
    return this.#waitingBytes <= maxWaitingBytes;
  }

  add(line: string, seq: number): void {
    if (this.#lines.length === 0) this.#firstSeq = seq;
    this.#lines.push(line);
    this.#waitingBytes += line.length;
    this.#running ??= this.#run();
  }

  /** When every line until now is on the disk. @throws PaycertError `audit-unavailable` */
  written(): Promise<void> {
    if (this.#running === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** After what waits is written, or does not get there. */
  async close(): Promise<void> {
    if (this.#failure === undefined) await this.written().catch(() => undefined);
    this.#stop.abort();
    await this.#syncing;
    if (this.#failure === undefined) await this.#current?.file.close();
  }

  async #run(): Promise<void> {
    // Callers of one turn of the event loop share a batch.
    await Promise.resolve();
    const { clock, gatherMilliseconds: gather } = this.#options;
    while ((this.#lines.length > 0 || this.#rest.length > 0) && !this.#stop.signal.aborted) {
      if (this.#waiters.length === 0 && gather > 0) await clock.sleep(gather, this.#stop.signal);
      try {
        await this.#watched(this.#writeBatch());
        for (const { resolve } of this.#batchWaiters.splice(0)) resolve();
        this.#recover();
      } catch (error) {
        this.#fail(error);
        await clock.sleep(retryMilliseconds, this.#stop.signal);
      }
    }
    // In the same turn as the last look at what waits: a line that is added from now on begins again.
    this.#running = undefined;
    // Those who came while the last batch was written, and brought no line.
    for (const { resolve } of this.#waiters.splice(0)) resolve();
  }

  async #writeBatch(): Promise<void> {
    const { disk, fsync } = this.#options;
    const { file } = await this.#ready();
    const removed = this.#announced;
    if (this.#rest.length === 0) this.#take();
    while (this.#rest.length > 0) {
      const written = await file.write(this.#rest);
      this.#rest = this.#rest.subarray(written);
      if (this.#current) this.#current = { ...this.#current, bytes: this.#current.bytes + written };
    }
    this.#end = this.#next;
    if (fsync === 'batch') await file.sync();
    if (fsync === 'second') this.#syncSoon(file);
    for (const { name } of removed) await disk.remove(name);
    this.#announced = this.#announced.slice(removed.length);
  }

  #take(): void {
    this.#next = { seq: this.#firstSeq + this.#lines.length - 1, hash: hashOf(this.#lines.at(-1) ?? '') };
    this.#rest = Buffer.from(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
    this.#waitingBytes = 0;
    this.#batchWaiters.push(...this.#waiters.splice(0));
  }

  /** The file of the next batch. Half a batch stays in one file. */
  async #ready(): Promise<{ readonly file: AppendedFile }> {
    const { disk, clock, rotateMilliseconds, maxFileBytes } = this.#options;
    const current = this.#current ?? this.#resumed;
    const now = clock.now();
    const isDue = ({ bytes, firstAt }: AuditFile) =>
      bytes >= maxFileBytes || now.getTime() - firstAt.getTime() >= rotateMilliseconds;
    if (current !== undefined && (this.#rest.length > 0 || !isDue(current))) {
      this.#current ??= { ...current, file: await disk.append(current.name) };
      return this.#current;
    }
    const name = nameOf(this.#firstSeq, now);
    const next = { name, bytes: 0, firstSeq: this.#firstSeq, firstAt: now, file: await disk.append(name) };
    const before = this.#current;
    if (current !== undefined) this.#closed = [...this.#closed, current];
    [this.#current, this.#resumed] = [next, undefined];
    this.#removeDue(now);
    if (before !== undefined) await before.file.sync().finally(() => before.file.close());
    return next;
  }

  #removeDue(now: Date): void {
    const removal = dueRemoval(this.#closed, this.#current ?? { firstSeq: this.#firstSeq, firstAt: now }, now, this.#options); // prettier-ignore
    if (removal === undefined || !this.#options.announce(removal)) return;
    this.#announced = [...this.#announced, ...removal.files];
    this.#closed = this.#closed.slice(removal.files.length);
    if (removal.isEarly) this.#options.observe({ type: 'audit-shortened', files: removal.files.length });
  }

  #syncSoon(file: AppendedFile): void {
    this.#syncing ??= this.#options.clock
      .sleep(1000, this.#stop.signal)
      .then(() => file.sync())
      // A file that was rotated meanwhile is closed, and was synchronized then.
      .catch((error: unknown) => (file === this.#current?.file ? this.#fail(error) : undefined))
      .finally(() => (this.#syncing = undefined));
  }

  /** A call that hangs fails at the end of our patience; whatever it is, it goes its way, and is waited for. */
  async #watched<T>(work: Promise<T>): Promise<T> {
    const over = new AbortController();
    void this.#options.clock.sleep(patienceMilliseconds, over.signal).then(() => {
      if (!over.signal.aborted) this.#fail({ code: 'it hangs' });
    });
    try {
      return await work;
    } finally {
      // With a reason: without one it would be an error with its stack, for each batch.
      over.abort('over');
    }
  }

  #fail(error: unknown): void {
    const { code = 'unknown' } = error as { readonly code?: string };
    const isNew = this.#failure === undefined;
    if (isNew) this.#failedAt = this.#options.clock.now();
    this.#failure = unavailable(code);
    if (isNew) this.#options.observe({ type: 'audit-failed', error: this.#failure });
    for (const { reject } of [...this.#batchWaiters.splice(0), ...this.#waiters.splice(0)]) reject(this.#failure);
  }

  #recover(): void {
    if (this.#failure !== undefined) this.#options.observe({ type: 'audit-recovered' });
    this.#failure = undefined;
  }
}
