// The audit of a process: chains what happens line by line, and hands each line to its sinks. It never waits for them unless it must.
import type { Clock } from '../clock.ts';
import type { PaycertError } from '../errors.ts';
import type { Event, Observe } from '../events.ts';
import { beginning, digestFollowing, type Head, type KnownEnd, knownEnd, link } from './chain.ts';
import { type AuditRecord, recordOf } from './records.ts';
import { type AuditSink, unavailable } from './sink.ts';
import { AuditVolume, type VolumeOptions } from './volume.ts';

export interface AuditOptions {
  readonly clock: Clock;
  readonly observe: Observe;
  /** What this process is: the name of its host, which is the pod's, and more for the first line. */
  readonly host: string;
  readonly about: Readonly<Record<string, unknown>>;
  /** The key of the chain, as it is now. */
  readonly key: () => string | undefined;
  readonly volume?: Omit<VolumeOptions, 'announce' | 'clock' | 'observe'> | undefined;
  readonly collector?: AuditSink | undefined;
  /** Without whose word nothing is handed out that must be written. Default: both. */
  readonly waitsFor?: { readonly volume: boolean; readonly collector: boolean };
  /** Takes a line as it is, such as to standard output. */
  readonly print?: ((line: string) => void) | undefined;
}

/** What others may keep of an audit, to notice that its end was cut off. */
export interface AuditSighting extends KnownEnd {
  /** Which line this process has continued, of what is kept in files, and when; absent where it is kept in none. */
  readonly from?: KnownEnd & { readonly at: string };
}

/** Both are undefined while its lines are written. */
interface State {
  readonly error: PaycertError | undefined;
  readonly since: Date | undefined;
}

/** What may wait until the directory has been read. */
const maxPending = 10_000;

export class Audit {
  readonly #options: AuditOptions;
  readonly #observe: Observe;
  readonly #volume: AuditVolume | undefined;
  /** That of the volume, where there is one: its room decides whether a line is taken at all. */
  readonly #sinks: readonly AuditSink[];
  readonly #waitsFor: readonly AuditSink[];
  /** Until it is known where the chain continues, undefined. */
  #head: Head | undefined;
  #from: AuditSighting['from'];
  #pending: object[] = [];
  #lost = 0;
  readonly #digestNow = digestFollowing();

  constructor(options: AuditOptions) {
    this.#options = options;
    this.#observe = options.observe;
    const { volume, collector, clock, waitsFor = { volume: true, collector: true } } = options;
    this.#volume =
      volume &&
      new AuditVolume({
        ...{ ...volume, clock, observe: this.#observe },
        announce: ({ through, files }) => this.record({ type: 'removed', outcome: 'ok', through, files: files.length }),
      });
    const present = (sinks: readonly (AuditSink | undefined)[]) => sinks.filter((sink) => sink !== undefined);
    this.#sinks = present([this.#volume, collector]);
    this.#waitsFor = present([waitsFor.volume ? this.#volume : undefined, waitsFor.collector ? collector : undefined]);
    this.record({ type: 'started', outcome: 'ok', ...options.about });
    void this.#open();
  }

  /** The last line; undefined before the first. */
  get head(): Head | undefined {
    return this.#head?.seq === 0 ? undefined : this.#head;
  }

  /** The same, as metrics show it. */
  get end(): KnownEnd | undefined {
    return this.head && knownEnd(this.head);
  }

  /** The last line that no crash of this process takes back; undefined until it is known. */
  get sighting(): AuditSighting | undefined {
    if (this.#volume === undefined) return this.#head && knownEnd(this.#head);
    const { end } = this.#volume;
    return end && this.#from && { ...knownEnd(end), from: this.#from };
  }

  /** The first of its places that takes no lines, and since when. */
  get state(): State {
    const { failure: error, failingSince: since } = this.#sinks.find(({ failure }) => failure !== undefined) ?? {};
    return { error, since };
  }

  observe(event: Event): void {
    const record = recordOf(event);
    if (record !== undefined) this.record(record);
  }

  /** False where there is no room for it: that it is missing is counted, and will be a line. */
  record(record: AuditRecord): boolean {
    const { clock, host } = this.#options;
    const { type, outcome } = record;
    const more: Readonly<Record<string, unknown>> = record;
    const whole = { audit: 1, time: clock.now().toISOString(), type, outcome, host, ...more };
    if (this.#head !== undefined) return this.#append(whole);
    if (this.#pending.length >= maxPending) return this.#lose();
    this.#pending.push(whole);
    return true;
  }

  /** @throws PaycertError `audit-unavailable` while lines cannot be written */
  assertAvailable(): void {
    for (const { failure } of this.#waitsFor) if (failure !== undefined) throw failure;
    if (this.#head === undefined) throw unavailable('its directory has not been read yet');
    if (this.#lost > 0) throw unavailable('too many lines wait to be written');
  }

  /** When every line until now is written. @throws PaycertError `audit-unavailable` */
  async written(): Promise<void> {
    this.assertAvailable();
    await Promise.all(this.#waitsFor.map((sink) => sink.written()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.close()));
  }

  async #open(): Promise<void> {
    const head = this.#volume === undefined ? beginning : await this.#volume.open();
    if (head === undefined) return;
    this.#head = head;
    this.#from = { ...knownEnd(head), at: this.#options.clock.now().toISOString() };
    for (const record of this.#pending.splice(0)) this.#append(record);
  }

  #append(record: object): boolean {
    if (this.#sinks[0]?.hasRoom === false) return this.#lose();
    if (this.#lost > 0) {
      const { clock, host } = this.#options;
      const lines = this.#lost;
      this.#lost = 0;
      this.#chain({ audit: 1, time: clock.now().toISOString(), type: 'lines-lost', outcome: 'lost', host, lines });
    }
    this.#chain(record);
    return true;
  }

  #chain(record: object): void {
    const { key, print } = this.#options;
    const { line, head } = link(record, this.#head ?? beginning, this.#digestNow(key()));
    this.#head = head;
    for (const sink of this.#sinks) sink.add(line, head.seq, record);
    print?.(`${line}\n`);
  }

  #lose(): false {
    this.#lost += 1;
    this.#observe({ type: 'audit-lines-lost', lines: 1 });
    return false;
  }
}
