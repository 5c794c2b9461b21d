// Source → Source: adds the certificates that a payment platform signs with, as it lists them; and one timer for all credentials.
import type { Clock } from '../clock.ts';
import type { CertificateListState, Event, Observe } from '../events.ts';
import type { Material, Source, Tick } from '../sources/source.ts';
import { type DistributedOptions, withDistributed } from './distributed-certificates.ts';
import { ListedCertificates, type ListedOptions } from './listed-certificates.ts';
import type { OwnCalls } from './own-calls.ts';
import { Schedule } from './schedule.ts';
import { withListed } from './with-listed.ts';

export interface PlatformCertificatesOptions {
  readonly calls: OwnCalls;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observe: Observe;
  readonly report: (credential: string, state: CertificateListState) => void;
}

/** How many credentials ask at once: thousands start together. */
const mostAtOnce = 8;

/** Of one process. What was listed outlives the source that it was listed for, so that a new configuration loses nothing. */
export class PlatformCertificates {
  readonly #options: PlatformCertificatesOptions;
  readonly #schedule: Schedule;
  readonly #lists = new Map<string, ListedCertificates>();

  constructor(options: PlatformCertificatesOptions) {
    this.#options = options;
    this.#schedule = new Schedule({ clock: options.clock, most: mostAtOnce });
  }

  /** Reading waits for no platform: what is listed later is a change of its own. */
  add(source: Source, options: ListedOptions): Source {
    const list = this.#listOf(options);
    const listed = async (own: Material) => {
      list.offer(own);
      return list.parts;
    };
    return withListed(source, listed, (signal) => this.#news(list, signal));
  }

  /** Those that an operator has downloaded into that Secret. */
  addDistributed(source: Source, options: DistributedOptions): Source {
    return withDistributed(source, options, this.#options);
  }

  /** What was refused for a key that nobody knows may be signed with one that is new. */
  noticed(event: Event): void {
    if (event.type !== 'unverified' || event.error.code !== 'key-id-unknown') return;
    const { keyId } = event.error;
    if (keyId !== undefined) this.#lists.get(event.credential)?.missed(keyId);
  }

  /** The credential is removed, or is another account now. */
  forget(credential: string, identity: string): void {
    if (this.#lists.get(credential)?.options.provider.identity === identity) this.#lists.delete(credential);
  }

  #listOf(options: ListedOptions): ListedCertificates {
    const known = this.#lists.get(options.credential);
    if (known?.options.provider.identity === options.provider.identity) {
      known.options = options;
      return known;
    }
    const list = new ListedCertificates(options, { ...this.#options, wake: () => this.#schedule.wake() });
    this.#lists.set(options.credential, list);
    return list;
  }

  async *#news(list: ListedCertificates, signal: AbortSignal): AsyncGenerator<Tick, void, undefined> {
    const news = { hasCome: false };
    let wake: () => void = () => undefined;
    const leave = list.follow(() => {
      news.hasCome = true;
      wake();
    });
    this.#schedule.add(list);
    const isOver = () => signal.aborted;
    const end = () => wake();
    signal.addEventListener('abort', end);
    try {
      yield 'start';
      while (!isOver()) {
        if (!news.hasCome) await new Promise<void>((resolve) => (wake = resolve));
        const { hasCome } = news;
        news.hasCome = false;
        if (hasCome && !isOver()) yield 'event';
      }
    } finally {
      signal.removeEventListener('abort', end);
      leave();
      if (!list.isFollowed) this.#schedule.delete(list);
    }
  }
}
