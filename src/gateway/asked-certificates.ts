// The platform certificates of one credential that were asked for one by one: each once a message has named it, and until its end.
import type { Material } from '../sources/source.ts';
import type { Listed } from '../providers/certificate-list.ts';
import type { Followed } from './followed.ts';
import { ListReport } from './list-report.ts';
import type { ListedDependencies } from './listed-certificates.ts';
import { downloadBySerial, type SerialDownloadOptions } from './serial-download.ts';
import { UnknownKeys } from './unknown-keys.ts';
import { Waiting } from './waiting.ts';

type Own = Pick<Material, 'revision' | 'data'>;

const minute = 60_000;

/** How often unknown numbers may have the platform asked: strangers make them up. */
const allowance = { most: 6, milliseconds: 60 * minute } as const;

/** So long after the last message that named it a certificate that cannot be downloaded is asked for again. */
const wantedMilliseconds = 50 * minute;

/** Alipay has one or two at a time. */
const maxKept = 16;

export class AskedCertificates implements Followed {
  options: SerialDownloadOptions;
  readonly #dependencies: Omit<ListedDependencies, 'random'>;
  readonly #report: ListReport;
  readonly #unknown = new UnknownKeys();
  readonly #followers = new Set<() => void>();
  /** When each was last named. */
  readonly #wanted = new Map<string, number>();
  /** By their numbers, the oldest first. */
  readonly #kept = new Map<string, Uint8Array>();
  #own: Own | undefined;
  #dueAt: number | undefined;
  #failures = 0;
  #isAsking = false;
  /** Who waits for what becomes of a question. */
  readonly #waiting = new Map<string, Waiting>();
  #stop = new AbortController();

  constructor(options: SerialDownloadOptions, dependencies: Omit<ListedDependencies, 'random'>) {
    this.options = options;
    this.#dependencies = dependencies;
    this.#report = new ListReport(dependencies);
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  get dueAt(): number | undefined {
    return this.isFollowed ? this.#dueAt : undefined;
  }

  follow(changed: () => void): () => void {
    this.#followers.add(changed);
    return () => {
      this.#followers.delete(changed);
      if (this.isFollowed) return;
      this.#stop.abort();
      this.#stop = new AbortController();
    };
  }

  /** What counts beside that material, which is what is asked with from now on. */
  partsFor(own: Own): Listed {
    if (this.#own?.revision !== own.revision && this.#wanted.size > 0) this.#askAt(this.#now);
    this.#own = own;
    const { bySerial } = this.options;
    const now = this.#dependencies.clock.now();
    const fitting = [...this.#kept].filter(
      ([serial, certificate]) => bySerial.faultOf(certificate, { serial, data: own.data, now }) === undefined,
    );
    return new Map(fitting.map(([serial, certificate]) => [bySerial.partName(serial), certificate]));
  }

  /** Something was signed with a key that is not known. */
  missed(keyId: string): void {
    const serial = keyId.toLowerCase();
    const now = this.#now;
    if (!this.isFollowed || !this.options.bySerial.mayAsk(serial)) return;
    const isWanted = this.#wanted.has(serial);
    if (!isWanted && !this.#unknown.admits(serial, now, allowance)) return;
    this.#wanted.set(serial, now);
    if (!isWanted) this.#askAt(now);
  }

  /** What comes of a question that is under way; false where none is, or nobody waits any more. */
  async settled(keyId: string, gone: AbortSignal): Promise<boolean> {
    const serial = keyId.toLowerCase();
    const isDue = this.#dueAt !== undefined && this.#dueAt <= this.#now;
    if (!this.isFollowed || !this.#wanted.has(serial) || !(this.#isAsking || isDue)) return false;
    const waiting = this.#waiting.get(serial) ?? new Waiting();
    this.#waiting.set(serial, waiting);
    return waiting.wait(gone);
  }

  async run(): Promise<void> {
    this.#isAsking = true;
    try {
      await this.#askEach(this.#stop.signal);
    } finally {
      this.#isAsking = false;
      for (const serial of [...this.#waiting.keys()]) this.#tell(serial, false);
    }
  }

  #tell(serial: string, isKept: boolean): void {
    this.#waiting.get(serial)?.tell(isKept);
    this.#waiting.delete(serial);
  }

  async #askEach(signal: AbortSignal): Promise<void> {
    const { credential } = this.options;
    this.#dueAt = undefined;
    const isOver = (at: number) => at > this.#now || this.#now - at >= wantedMilliseconds;
    for (const [serial, at] of this.#wanted) if (isOver(at)) this.#wanted.delete(serial);
    // No message names it any more: it was made up, or nothing is refused for it now.
    if (this.#wanted.size === 0 && this.#report.outcome === 'failed')
      this.#report.tell(credential, { outcome: 'unknown' });
    for (const serial of [...this.#wanted.keys()]) if (!signal.aborted) await this.#ask(serial, signal);
    if (signal.aborted) return;
    this.#failures = this.#wanted.size === 0 ? 0 : this.#failures + 1;
    const oldest = Math.min(...this.#wanted.values());
    const pause = minute * 2 ** Math.min(this.#failures - 1, 6);
    if (this.#wanted.size > 0) this.#dueAt ??= Math.min(this.#now + pause, oldest + wantedMilliseconds);
  }

  get #now(): number {
    return this.#dependencies.clock.now().getTime();
  }

  #askAt(time: number): void {
    this.#dueAt = time;
    this.#dependencies.wake();
  }

  /** A failure leaves it wanted. */
  async #ask(serial: string, signal: AbortSignal): Promise<void> {
    const own = this.#own;
    const { credential } = this.options;
    if (own === undefined) return;
    try {
      const known = { data: own.data, listed: this.partsFor(own) };
      const found = await downloadBySerial(serial, known, this.options, { ...this.#dependencies, signal });
      if (signal.aborted || found === undefined) return;
      this.#wanted.delete(serial);
      if (found === 'unknown') this.#report.tell(credential, { outcome: 'unknown' });
      else this.#keep(serial, found);
    } catch (error) {
      if (!signal.aborted) this.#report.failed(credential, error);
    }
  }

  #keep(serial: string, certificate: Uint8Array): void {
    this.#kept.delete(serial);
    this.#kept.set(serial, certificate);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > maxKept && oldest !== undefined) this.#kept.delete(oldest);
    this.#report.tell(this.options.credential, { outcome: 'listed', listedAt: this.#dependencies.clock.now() }, true);
    this.#dependencies.brought(this.options.credential);
    for (const changed of this.#followers) changed();
    this.#tell(serial, true);
  }
}
