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
import { isPodAddress } from './pod-address.ts';
import { FleetPods } from './pods.ts';
import { Unseen } from './read-sighting.ts';
import { keepKnown, type Seen, viewOf } from './sightings.ts';
import { type Stored, StoredSnapshots } from './stored.ts';
import { dueNow } from './turns.ts';
import { type PodView, stateOf } from './view.ts';

export interface FleetOptions {
  readonly client: () => Promise<Pick<KubeClient, 'list' | 'watch'>>;
  /** All of them when it is empty. */
  readonly namespaces: readonly string[];
  /** The Pods of this one may have something else now. */
  readonly changed: (key: ResourceKey) => void;
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

const askedAtOnce = 50;
/** Twenty seconds, if none of them answers. */
const mostInRound = 500;
/** Between two rounds, so that what changes in many Pods is written once. */
const roundPause = 1000;

export class Fleet {
  readonly #options: FleetOptions;
  readonly #stored = new StoredSnapshots();
  readonly #members = new Members();
  #pods: FleetPods | undefined;
  #wake = new AbortController();

  constructor(options: FleetOptions) {
    this.#options = options;
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
        this.#wake.abort();
      },
      listed: () => this.#stored.keys().forEach(this.#options.changed),
    });
    this.#pods = pods;
    try {
      await runTasks([(running) => pods.run(running), (running) => this.#askInTurn(running)], signal);
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
    this.#wake.abort();
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

  async #askInTurn(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const isOver = () => signal.aborted;
    while (!isOver()) {
      const members = this.#members.askable((namespace) => this.#stored.names(namespace).length > 0);
      const due = dueNow(members, this.#now(), mostInRound);
      if (due.length > 0) {
        await this.#round(due, signal);
        await clock.sleep(roundPause, signal);
        continue;
      }
      this.#wake = new AbortController();
      const next = Math.min(...members.map(({ nextAt }) => nextAt));
      await clock.sleep(next - this.#now(), AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  async #round(due: readonly Member[], signal: AbortSignal): Promise<void> {
    const startedAt = this.#now();
    const waiting = due.values();
    let answered = 0;
    const work = async () => {
      for (const member of waiting) {
        const seen = await this.#ask(member, signal);
        if (signal.aborted) return;
        if (seen.sighting !== undefined) answered += 1;
        this.#take(member, seen);
      }
    };
    await Promise.all(Array.from({ length: Math.min(askedAtOnce, due.length) }, work));
    const seconds = (this.#now() - startedAt) / 1000;
    this.#options.observe({ type: 'fleet-asked', answered, unanswered: due.length - answered, seconds });
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
    this.#members.take(asked, seen, isSettled, { now: this.#now(), random: this.#options.random() });
    const isSame = asked.isSettled && isSettled && isDeepStrictEqual(factsOf(asked.seen), factsOf(seen));
    if (!isSame) this.#say(asked, new Set([...concerned, ...this.#concerned(asked)]));
  }
}

const factsOf = (seen: Seen | undefined) => seen && { sighting: seen.sighting, unseen: seen.unseen };
