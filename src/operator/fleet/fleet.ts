// Knows what every sidecar has, while this replica leads: asks their admin ports in turn, and says which PaymentCredentials that concerns.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../clock.ts';
import type { Observe } from '../../events.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Sighting } from '../../store/sighting.ts';
import { runTasks } from '../../tasks.ts';
import { ResourceKey } from '../resource-key.ts';
import type { EventRecorder } from '../event-recorder.ts';
import type { Leadership } from '../leadership.ts';
import { type Address, askPod } from './ask.ts';
import { type AuditCut, AuditEnds, type Remembered } from './audit-ends.ts';
import { AuditMemory, type AuditMemoryOptions } from './audit-memory.ts';
import { type Member, Members } from './members.ts';
import { News } from './news.ts';
import type { FleetPod } from './pod.ts';
import { isPodAddress } from './pod-address.ts';
import { FleetPods } from './pods.ts';
import { Unseen } from './read-sighting.ts';
import { Rounds } from './rounds.ts';
import { hadOf, keepKnown, type Seen, viewOf } from './sightings.ts';
import { type Stored, StoredSnapshots } from './stored.ts';
import { type Look, type PodView, stateOf } from './view.ts';

export interface FleetOptions {
  readonly client: () => Promise<Pick<KubeClient, 'list' | 'watch' | 'get' | 'merge'>>;
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
  readonly leadership: Leadership;
  /** Says of a Pod that its audit was cut. */
  readonly recorder: Pick<EventRecorder, 'record'>;
  /** The ConfigMap by which the next leader knows how far audits went; without it, each leader knows nothing at first. */
  readonly auditEnds?: AuditMemoryOptions['place'] | undefined;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #stored = new StoredSnapshots();
  readonly #members = new Members();
  readonly #news: News;
  readonly #rounds: Rounds;
  readonly #audits = new AuditEnds();
  readonly #memory: AuditMemory | undefined;
  #pods: FleetPods | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    const { auditEnds: place } = options;
    this.#memory = place && new AuditMemory({ ...options, place });
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
    this.#audits.clear();
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
      const remember = (running: AbortSignal) => this.#remember(pods, running);
      await runTasks([(running) => pods.run(running), (running) => this.#rounds.run(running), remember], signal);
    } finally {
      this.#pods = undefined;
    }
  }

  /** Undefined while this replica does not lead: it knows nothing. */
  look(key: ResourceKey, stored: Stored): Look | undefined {
    if (this.#pods === undefined) return undefined;
    const { known, isNews } = this.#stored.note(key, stored, this.#now());
    if (isNews) this.#hurry(key);
    const { isSynced, trouble } = this.#pods;
    const pods: PodView[] = [];
    let [isComplete, auditsCut] = [isSynced, 0];
    // One for each Pod of the namespace, each time that something is looked at: nothing is made of those that do not count.
    for (const { pod, seen } of this.#members.each(key.namespace)) {
      const view = viewOf(pod, seen, key.name, known);
      if (view === undefined) continue;
      pods.push(view);
      if (this.#audits.cutOf(pod.uid) !== undefined) auditsCut += 1;
      isComplete &&= seen !== undefined && seen.askedAt >= known.since;
    }
    return { pods, isComplete, auditsCut, trouble };
  }

  /** By namespace, how many Pods have an audit whose end was cut off or rewritten. */
  auditsCut(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { pod } of this.#members.all())
      if (this.#audits.cutOf(pod.uid)) counts.set(pod.namespace, (counts.get(pod.namespace) ?? 0) + 1);
    return counts;
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
    const askedAt = this.#now();
    try {
      const answer = await askPod(pod.address as Address, signal);
      this.#takeAudit(pod, answer.audit, signal);
      const known = new Set(this.#stored.names(pod.namespace));
      const sighting = keepKnown(pod, answer, (name) => known.has(name));
      return { askedAt, sighting, unseen: undefined, had: undefined };
    } catch (error) {
      if (!(error instanceof Unseen) && !signal.aborted)
        this.#options.observe({ type: 'internal-error', where: 'fleet', error });
      const unseen = error instanceof Unseen ? error.message : 'asking it failed unexpectedly';
      return { askedAt, sighting: undefined, unseen, had: hadOf(seen) };
    }
  }

  #takeAudit(pod: FleetPod, audit: Sighting['audit'], signal: AbortSignal): void {
    if (signal.aborted) return;
    const cut = this.#audits.take(pod.uid, audit, this.#options.clock.now());
    if (cut) this.#tellCut(pod, cut, signal);
  }

  #tellCut({ namespace, name, uid }: FleetPod, cut: AuditCut, signal: AbortSignal): void {
    const { observe, recorder } = this.#options;
    const { kind, known, found, at } = cut;
    observe({ type: 'audit-cut', object: `${namespace}/${name}`, kind, known: known.seq, found: found.seq });
    const note =
      kind === 'cut'
        ? `The audit ended with line ${known.seq}, and was continued after line ${found.seq}: lines were cut off.`
        : `Line ${known.seq} of the audit, its last one, is another one now: it was rewritten.`;
    const whole = `${note} paycert audit verify --head ${known.seq}:${known.number} shows it.`;
    const notice = { type: 'Warning', reason: 'AuditCut', note: whole, since: at } as const;
    void recorder
      .record({ apiVersion: 'v1', kind: 'Pod', namespace, name, uid }, notice, signal)
      .catch((error: unknown) => {
        if (!signal.aborted) observe({ type: 'internal-error', where: 'fleet', error });
      });
    this.#news.add(namespace, this.#stored.names(namespace), this.#now());
    this.#memory?.hurry();
  }

  async #remember(pods: FleetPods, signal: AbortSignal): Promise<void> {
    const all = () => new Map(this.#members.all().map(({ pod }) => [pod.uid, pod]));
    const restore = (remembered: ReadonlyMap<string, Remembered>) => {
      const found = this.#audits.restore(remembered, this.#options.clock.now());
      for (const [uid, cut] of found) {
        const pod = all().get(uid);
        if (pod) this.#tellCut(pod, cut, signal);
      }
    };
    const unstored = () => {
      const there = all();
      // What is not listed yet is not gone.
      return this.#audits.unstored((uid) => !pods.isSynced || there.has(uid));
    };
    await this.#memory?.run({ restore, unstored, stored: (written) => this.#audits.stored(written) }, signal);
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
