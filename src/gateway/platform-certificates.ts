// Source → Source: adds the certificates that a payment platform signs with, as it lists or hands them out; and one timer for all.
import type { Event } from '../events.ts';
import type { Material, Source } from '../sources/source.ts';
import { AskedCertificates } from './asked-certificates.ts';
import { type DistributedOptions, withDistributed } from './distributed-certificates.ts';
import { newsOf } from './followed.ts';
import { ListedCertificates, type ListedDependencies, type ListedOptions } from './listed-certificates.ts';
import { ReloadNews } from './reload-news.ts';
import { Schedule } from './schedule.ts';
import type { SerialDownloadOptions } from './serial-download.ts';
import { withListed } from './with-listed.ts';

export type PlatformCertificatesOptions = Omit<ListedDependencies, 'wake' | 'brought'>;

/** So long a response waits for the certificate that it names, and no longer than its own call. */
const longestWait = 5000;

/** How many credentials ask at once: thousands start together. */
const mostAtOnce = 8;

/** Of one process. What was listed outlives the source that it was listed for, so that a new configuration loses nothing. */
export class PlatformCertificates {
  readonly #options: PlatformCertificatesOptions;
  readonly #schedule: Schedule;
  readonly #lists = new Map<string, ListedCertificates>();
  readonly #asked = new Map<string, AskedCertificates>();
  readonly #reloads = new ReloadNews();
  /** Of credentials that load what has come: whether another set is current then. */
  readonly #loading = new Map<string, Promise<boolean>>();

  constructor(options: PlatformCertificatesOptions) {
    this.#options = options;
    this.#schedule = new Schedule({ clock: options.clock, most: mostAtOnce });
  }

  /** Those that a platform lists. Reading waits for no platform: what is listed later is a change of its own. */
  add(source: Source, options: ListedOptions): Source {
    const make = () => new ListedCertificates(options, this.#dependencies);
    const list = keptOr(this.#lists, options, make);
    const listed = async (own: Material) => {
      list.offer(own);
      return list.parts;
    };
    return withListed(source, listed, (signal) => newsOf(list, this.#schedule, signal));
  }

  /** Those that a platform hands out one by one, once a message has named them. */
  addAsked(source: Source, options: SerialDownloadOptions): Source {
    const asked = keptOr(this.#asked, options, () => new AskedCertificates(options, this.#dependencies));
    const listed = async (own: Material) => asked.partsFor(own);
    return withListed(source, listed, (signal) => newsOf(asked, this.#schedule, signal));
  }

  /** Those that an operator has downloaded into that Secret. */
  addDistributed(source: Source, options: DistributedOptions): Source {
    return withDistributed(source, options, this.#options);
  }

  /** What was refused for a key that nobody knows may be signed with one that is new. */
  noticed(event: Event): void {
    this.#reloads.noticed(event);
    if (event.type === 'swapped') this.#lists.get(event.credential)?.loaded();
    if (event.type !== 'key-missed') return;
    for (const known of [this.#lists, this.#asked]) known.get(event.credential)?.missed(event.keyId);
  }

  /** Waits for a certificate that is being asked for, or loaded: whether the credential may have another set then. */
  async learn(credential: string, keyId: string, gone: AbortSignal): Promise<boolean> {
    const known = this.#asked.get(credential) ?? this.#lists.get(credential);
    if (known === undefined || gone.aborted) return false;
    const over = new AbortController();
    const isOver = AbortSignal.any([gone, over.signal]);
    const waited = this.#options.clock.sleep(longestWait, isOver).then(() => false);
    const settled = known.settled(keyId, isOver);
    const loaded = settled.then((hasCome) => this.#loading.get(credential) ?? hasCome);
    try {
      return await Promise.race([loaded, waited]);
    } finally {
      over.abort();
    }
  }

  /** The credential is removed, or is another account now. */
  forget(credential: string, identity: string): void {
    for (const known of [this.#lists, this.#asked])
      if (known.get(credential)?.options.provider.identity === identity) known.delete(credential);
  }

  get #dependencies(): ListedDependencies {
    const wake = () => this.#schedule.wake();
    return { ...this.#options, wake, brought: (credential) => void this.#load(credential) };
  }

  /** What has come is a change of the source: the next look at it loads that. */
  async #load(credential: string): Promise<void> {
    const loading = this.#reloads.next(credential);
    this.#loading.set(credential, loading);
    await loading;
    if (this.#loading.get(credential) === loading) this.#loading.delete(credential);
  }
}

type Kept<O> = { options: O };

/** What is known of that account, with its new options; otherwise what `make` makes. */
function keptOr<
  O extends { readonly credential: string; readonly provider: { readonly identity: string } },
  T extends Kept<O>,
>(all: Map<string, T>, options: O, make: () => T): T {
  const known = all.get(options.credential);
  if (known?.options.provider.identity === options.provider.identity) {
    known.options = options;
    return known;
  }
  const made = make();
  all.set(options.credential, made);
  return made;
}
