// Knows what every sidecar has, while this replica leads: asks their admin ports in turn, and says which PaymentCredentials that concerns.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../clock.ts';
import type { PaycertError } from '../../errors.ts';
import type { Observe } from '../../events.ts';
import type { KubeClient } from '../../kube/client.ts';
import { runTasks } from '../../tasks.ts';
import { ResourceKey } from '../resource-key.ts';
import { type Address, askPod } from './ask.ts';
import { type Member, Members } from './members.ts';
import { News } from './news.ts';
import { isPodAddress } from './pod-address.ts';
import { FleetPods } from './pods.ts';
import { Unseen } from './read-sighting.ts';
import { Rounds } from './rounds.ts';
import { keepKnown, type Seen, viewOf } from './sightings.ts';
import { type Stored, StoredSnapshots } from './stored.ts';
import { type PodView, stateOf } from './view.ts';

export interface FleetOptions {
  readonly client: () => Promise<Pick<KubeClient, 'list' | 'watch'>>;
  /** All of them when it is empty. */
  readonly namespaces: readonly string[];
  /** The Pods of this one may have something else now. */
  readonly changed: (key: ResourceKey) => void;
  /** Whether PaymentCredentials wait to be looked at: a Pod that is asked before them is asked again for each. */
  readonly isBehind: () => boolean;
  readonly clock: Clock;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly observe: Observe;
  readonly mayBeAsked?: ((address: string) => boolean) | undefined;
}

/** What is known of the Pods of one PaymentCredential. */
export interface Look {
  readonly pods: readonly PodView[];
  /** Whether each was asked since the Secret changed. */
  readonly isComplete: boolean;
  /** Why Pods may be missing. */
  readonly trouble: PaycertError | undefined;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #stored = new StoredSnapshots();
  readonly #members = new Members();
  readonly #news: News;
  readonly #rounds: Rounds;
  #pods: FleetPods | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#news = new News(options.changed);
    this.#rounds = new Rounds({
      ...options,
      members: () => this.#members.askable((namespace) => this.#stored.names(namespace).length > 0),
      ask: (member, signal) => this.#askOne(member, signal),
      ended: () => this.#news.pass(this.#now()),
    });
  }

  /** A task for the time of leading. */
  async lead(signal: AbortSignal): Promise<void> {
    const { mayBeAsked = isPodAddress } = this.#options;
    this.#stored.clear();
    this.#members.clear();
    const pods = new FleetPods({
      ...this.#options,
      mayBeAsked,
      changed: (key, pod) => {
        for (const member of this.#members.set(key, pod, this.#now())) this.#say(member, this.#concerned(member));
        this.#rounds.wake();
      },
      listed: () => this.#stored.keys().forEach(this.#options.changed),
    });
    this.#pods = pods;
    try {
      await runTasks([(running) => pods.run(running), (running) => this.#rounds.run(running)], signal);
    } finally {
      this.#pods = undefined;
    }
  }

  /** Undefined while this replica does not lead: it knows nothing. */
  look(key: ResourceKey, stored: Stored): Look | undefined {
    if (this.#pods === undefined) return undefined;
    const { known, isNews } = this.#stored.note(key, stored, this.#options.clock.now());
    if (isNews) this.#hurry(key);
    const views = this.#members.in(key.namespace).flatMap(({ pod, seen }) => {
      const view = viewOf(pod, seen, key.name, known);
      return view ? [{ view, isAsked: seen !== undefined && seen.askedAt >= known.since }] : [];
    });
    const { isSynced, trouble } = this.#pods;
    const isComplete = isSynced && views.every(({ isAsked }) => isAsked);
    return { pods: views.map(({ view }) => view), isComplete, trouble };
  }

  /** It is gone, or nothing is stored that Pods could have. */
  forget(key: ResourceKey): void {
    this.#stored.forget(key);
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }

  #hurry({ namespace, name }: ResourceKey): void {
    for (const member of this.#members.in(namespace))
      if (this.#concerned(member).includes(name)) this.#members.hurry(member, this.#now());
    this.#rounds.wake();
  }

  /** The PaymentCredentials for which it counts. */
  #concerned(member: Pick<Member, 'pod' | 'seen'>): readonly string[] {
    return this.#stored.names(member.pod.namespace).filter((name) => this.#viewOf(member, name) !== undefined);
  }

  #viewOf({ pod, seen }: Pick<Member, 'pod' | 'seen'>, name: string): PodView | undefined {
    const known = this.#stored.get(pod.namespace, name);
    return known && viewOf(pod, seen, name, known);
  }

  #say({ pod: { namespace } }: Pick<Member, 'pod'>, names: Iterable<string>): void {
    for (const name of names) this.#options.changed(new ResourceKey('PaymentCredential', namespace, name));
  }

  /** Whether it answered. */
  async #askOne(member: Member, signal: AbortSignal): Promise<boolean> {
    const seen = await this.#ask(member, signal);
    if (!signal.aborted) this.#take(member, seen);
    return seen.sighting !== undefined;
  }

  async #ask({ pod, seen }: Member, signal: AbortSignal): Promise<Seen> {
    const askedAt = this.#options.clock.now();
    try {
      const answer = await askPod(pod.address as Address, signal);
      const known = new Set(this.#stored.names(pod.namespace));
      const sighting = keepKnown(pod, answer, (name) => known.has(name));
      const had = { at: askedAt, names: sighting.credentials.map(({ name }) => name) };
      return { askedAt, sighting, unseen: undefined, had };
    } catch (error) {
      if (!(error instanceof Unseen) && !signal.aborted)
        this.#options.observe({ type: 'internal-error', where: 'fleet', error });
      const unseen = error instanceof Unseen ? error.message : 'asking it failed unexpectedly';
      return { askedAt, sighting: undefined, unseen, had: seen?.had };
    }
  }

  #take(asked: Member, seen: Seen): void {
    const { pod } = asked;
    const concerned = this.#concerned({ pod, seen });
    const isSettled = concerned.every((name) => {
      const view = this.#viewOf({ pod, seen }, name);
      return view && stateOf(view, this.#stored.get(pod.namespace, name)?.stored.snapshotId) === 'current';
    });
    const isTried = concerned.some((name) => this.#stored.get(pod.namespace, name)?.stored.trial !== undefined);
    this.#members.take(asked, seen, { isSettled, isTried }, { now: this.#now(), random: this.#options.random() });
    const isSame = asked.isSettled && isSettled && isDeepStrictEqual(factsOf(asked.seen), factsOf(seen));
    if (!isSame) this.#news.add(pod.namespace, [...concerned, ...this.#concerned(asked)], this.#now());
  }
}

const factsOf = (seen: Seen | undefined) => seen && { sighting: seen.sighting, unseen: seen.unseen };
