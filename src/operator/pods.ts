// Makes kubelet look at once: annotates the Pods that mount a changed Secret, or have a new activation, through their status alone.
import type { Clock } from '../clock.ts';
import { type ErrorCode, PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { KubeClient } from '../kube/client.ts';
import { readAll } from '../kube/listing.ts';
import { type KubeObject, pods } from '../kube/resources.ts';
import { credentialsAnnotation, refreshedAtAnnotation, refreshLabel } from './labels.ts';
import type { Leadership } from './leadership.ts';
import type { ResourceKey } from './resource-key.ts';

export interface PodsOptions {
  readonly client: () => Promise<Pick<KubeClient, 'list' | 'merge'>>;
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** Before each touch: kubelet may have the old Secret in its own cache the first time. */
const pausesMilliseconds = [0, 2000, 6000];

/** Who is touched, and when. */
interface Sequence {
  /** For logs. */
  readonly object: string;
  readonly namespace: string;
  /** Before each touch. */
  readonly pauses: readonly number[];
  readonly names: (signal: AbortSignal) => Promise<readonly string[]>;
}

/** While the API server is away, or nobody leads: before each attempt, the last one again and again. */
const retryMilliseconds = [1000, 2000, 4000, 8000];

/** By then kubelet has found the change by itself. */
const worthMilliseconds = 90_000;

const passing: ReadonlySet<ErrorCode> = new Set(['cluster-unreachable', 'cluster-failing']);

/** At most fifty patches a second in all. */
const paceMilliseconds = 20;

export class Pods {
  readonly #options: PodsOptions;
  readonly #rounds = new Map<string, AbortController>();
  readonly #running = new Set<Promise<void>>();
  #turn: Promise<void> = Promise.resolve();

  constructor(options: PodsOptions) {
    this.#options = options;
  }

  /**
   * Touches them now and twice more; another change restarts the sequence. A replica that does not lead waits, in case the
   * leader ends before it has touched them.
   */
  refresh(key: ResourceKey): void {
    const { namespace, object } = key;
    const names = (signal: AbortSignal) => this.#namesOf(key, signal);
    this.#begin(key.toString(), { object, namespace, pauses: pausesMilliseconds, names });
  }

  /** Touches one Pod twice more, in whose status something was just written for its sidecar: that write was the first touch. */
  repeat(namespace: string, name: string): void {
    const object = `${namespace}/${name}`;
    this.#begin(`Pod ${object}`, { object, namespace, pauses: pausesMilliseconds.slice(1), names: async () => [name] });
  }

  #begin(id: string, sequence: Sequence): void {
    this.#rounds.get(id)?.abort();
    const stop = new AbortController();
    this.#rounds.set(id, stop);
    const round = this.#round(sequence, stop.signal).finally(() => {
      if (this.#rounds.get(id) === stop) this.#rounds.delete(id);
      this.#running.delete(round);
    });
    this.#running.add(round);
  }

  async stop(): Promise<void> {
    for (const round of this.#rounds.values()) round.abort();
    await Promise.all(this.#running);
  }

  async #round(sequence: Sequence, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const isOver = () => signal.aborted;
    const deadline = clock.now().getTime() + worthMilliseconds;
    const told = new Set<ErrorCode>();
    for (const pause of sequence.pauses) {
      await clock.sleep(pause, signal);
      for (let failures = 0; !isOver() && !(await this.#attempt(sequence, told, signal)); failures += 1) {
        if (clock.now().getTime() >= deadline) return;
        await clock.sleep(retryMilliseconds[Math.min(failures, retryMilliseconds.length - 1)] ?? 0, signal);
      }
      if (isOver()) return;
    }
  }

  /** Whether it is done; false if it is worth another attempt. Reports each obstacle once. */
  async #attempt(sequence: Sequence, told: Set<ErrorCode>, signal: AbortSignal): Promise<boolean> {
    const { observe, leadership } = this.#options;
    const { object } = sequence;
    if (!leadership.isLeading) return false;
    try {
      const count = await this.#touchAll(sequence, signal);
      if (count !== undefined) observe({ type: 'pods-refreshed', object, pods: count });
      return count !== undefined;
    } catch (error) {
      if (signal.aborted) return true;
      if (!(error instanceof PaycertError)) {
        observe({ type: 'internal-error', where: 'pods', error });
        return true;
      }
      if (!told.has(error.code)) observe({ type: 'pods-refreshed', object, pods: 0, error });
      told.add(error.code);
      return !passing.has(error.code);
    }
  }

  /** How many there were; undefined when this replica leads no more. */
  async #touchAll({ namespace, names }: Sequence, signal: AbortSignal): Promise<number | undefined> {
    const { client, clock, leadership } = this.#options;
    let touched = 0;
    for (const name of await names(signal)) {
      await this.#pace(signal);
      const changes = { metadata: { annotations: { [refreshedAtAnnotation]: clock.now().toISOString() } } };
      const target = { resource: pods, namespace, name, subresource: 'status' };
      const written = await leadership.write(async (leading) =>
        (await client()).merge(target, changes, AbortSignal.any([leading, signal])).catch(ignoreGone),
      );
      if (written === undefined) return undefined;
      if (written !== 'gone') touched += 1;
    }
    return touched;
  }

  async #namesOf({ namespace, name: credential }: ResourceKey, signal: AbortSignal): Promise<readonly string[]> {
    // The label names one, and the annotation others: no selector sees that.
    const collection = { resource: pods, namespace, labelSelector: refreshLabel, isMetadataOnly: true };
    const read = (pod: KubeObject) => (isOf(pod, credential) ? pod.metadata.name : undefined);
    const { objects } = await readAll(await this.#options.client(), collection, read, signal);
    return [...objects.values()].flatMap(({ value }) => value ?? []);
  }

  async #pace(signal: AbortSignal): Promise<void> {
    const before = this.#turn;
    this.#turn = before.then(() => this.#options.clock.sleep(paceMilliseconds, signal));
    await before;
  }
}

/** Whether a Pod mounts the Secret of that credential, as its label or its annotation says. */
const isOf = ({ metadata: { labels, annotations } }: KubeObject, credential: string): boolean =>
  labels?.[refreshLabel] === credential ||
  annotations?.[credentialsAnnotation]?.split(',').some((one) => one.trim() === credential) === true;

function ignoreGone(error: unknown): 'gone' {
  if (error instanceof PaycertError && error.code === 'object-missing') return 'gone';
  throw error;
}
