// Downloads platform certificates for all PaymentCredentials that ask for it, while this replica leads: one timer, and a few at once.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../clock.ts';
import { defaults, milliseconds } from '../../config/defaults.ts';
import { type ResourceSpec, setsOf } from '../../config/resource.ts';
import type { CertificateListState, Event, Observe } from '../../events.ts';
import { ListRounds } from '../../gateway/list-rounds.ts';
import { OwnCalls } from '../../gateway/own-calls.ts';
import { Schedule } from '../../gateway/schedule.ts';
import type { WayOut } from '../../gateway/way-out.ts';
import type { KubeClient } from '../../kube/client.ts';
import { platformOf } from '../../providers/registry.ts';
import { buildProvider, destinationsOf } from '../../running/build.ts';
import { Limiter } from '../../store/limiter.ts';
import type { Leadership } from '../leadership.ts';
import type { Lookup } from '../objects.ts';
import { ResourceKey } from '../resource-key.ts';
import type { Evaluation } from '../status/conditions.ts';
import { download, type Order } from './download.ts';

export interface DownloadsOptions {
  readonly client: () => Promise<Pick<KubeClient, 'get' | 'change'>>;
  readonly leadership: Leadership;
  readonly lookup: Pick<Lookup, 'secret'>;
  /** What is known of this one has changed. */
  readonly changed: (key: ResourceKey) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observe: Observe;
  /** Called in place of every platform: for tests. */
  readonly double?: string | undefined;
  /** The proxy on the way out, where there is one. */
  readonly wayOut?: WayOut | undefined;
}

const mostAtOnce = 8;

/** A Secret that is written again and again has the platform asked no more often than that. */
const shortestMilliseconds = 60_000;

interface Item {
  readonly rounds: ListRounds;
  order: Order;
  /** The version that was asked with. */
  own: string;
  /** The versions of the Secret that is written into: as it was found, and as it was written. */
  into: Set<string | undefined>;
  state: CertificateListState | undefined;
}

export class Downloads {
  readonly #options: DownloadsOptions;
  readonly #calls: OwnCalls;
  readonly #schedule: Schedule;
  readonly #items = new Map<string, Item>();

  constructor(options: DownloadsOptions) {
    const { clock, observe, wayOut } = options;
    this.#options = options;
    const limiter = new Limiter(mostAtOnce);
    this.#calls = new OwnCalls({ clock, observe, limiter, milliseconds: () => performance.now(), wayOut });
    this.#schedule = new Schedule({ clock, most: mostAtOnce });
  }

  /** A task for the time of leading. */
  async lead(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    for (const id of [...this.#items.keys()]) this.#drop(id);
  }

  async stop(): Promise<void> {
    await this.#calls.close();
  }

  /** What came of the last download; undefined while there was none, and where this replica does not lead. */
  look(key: ResourceKey, { spec, secret, staged }: Evaluation): CertificateListState | undefined {
    const id = key.toString();
    const order = secret && spec && this.#orderOf(key, spec, staged?.set === 'current');
    if (order === undefined || !this.#options.leadership.isLeading) {
      this.#drop(id);
      return undefined;
    }
    const into = this.#options.lookup.secret(new ResourceKey('Secret', key.namespace, order.into));
    const item = this.#itemOf(id, order);
    const own = secret?.secretResourceVersion ?? '';
    const isElsewhere = !item.into.has(into?.resourceVersion);
    const isNew = item.own !== own || isElsewhere || !isDeepStrictEqual(item.order.spec, order.spec);
    if (isElsewhere) item.into = new Set([into?.resourceVersion]);
    Object.assign(item, { order, own });
    item.rounds.options = roundsOf(order);
    if (isNew) item.rounds.askNow(shortestMilliseconds);
    return item.state;
  }

  forget(key: ResourceKey): void {
    this.#drop(key.toString());
  }

  #drop(id: string): void {
    const item = this.#items.get(id);
    if (item === undefined) return;
    this.#items.delete(id);
    item.rounds.stop();
    this.#schedule.delete(item.rounds);
  }

  #orderOf(key: ResourceKey, spec: ResourceSpec, isNextEverywhere: boolean): Order | undefined {
    const { platformCertificates, provider, source, suspend } = spec;
    const { platform } = platformOf(provider);
    const { certificateList: list } = platform;
    if (platformCertificates === undefined || list === undefined || suspend === true) return undefined;
    const { current, next = current } = setsOf(source);
    const { double } = this.#options;
    return {
      ...{ key, spec, list, into: platformCertificates.secret, own: isNextEverywhere ? next : current },
      provider: buildProvider(provider),
      destinations: destinationsOf({ provider, ...(double !== undefined && { gateway: { double } }) }),
    };
  }

  /** Another merchant under that name has nothing of the one before. */
  #itemOf(id: string, order: Order): Item {
    const known = this.#items.get(id);
    if (known?.order.provider.identity === order.provider.identity) return known;
    this.#drop(id);
    const rounds = new ListRounds(roundsOf(order), (signal) => this.#download(item, signal), {
      ...this.#options,
      observe: (event) => this.#options.observe(event.type === 'certificates-listed' ? storedOf(event) : event),
      report: (_, state) => {
        item.state = state;
        this.#options.changed(item.order.key);
      },
      wake: () => this.#schedule.wake(),
    });
    const item: Item = { rounds, order, own: '', into: new Set(), state: undefined };
    this.#items.set(id, item);
    this.#schedule.add(rounds);
    return item;
  }

  #download(item: Item, signal: AbortSignal) {
    const dependencies = { ...this.#options, calls: this.#calls };
    // The watch will tell of it: that is no reason to ask again.
    return download(item.order, dependencies, (version) => item.into.add(version), signal);
  }
}

/** Credentials of a process have such names, and resources have others. */
const storedOf = ({
  credential: object,
  type: _,
  ...about
}: Extract<Event, { type: 'certificates-listed' }>): Event => ({
  ...about,
  type: 'certificates-stored',
  object,
});

const roundsOf = ({ key, spec, list }: Order) => ({
  credential: key.object,
  list,
  everyMilliseconds: milliseconds(spec.platformCertificates?.every ?? defaults.every),
});
