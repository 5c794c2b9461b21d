// Makes kubelet look at once: touches the Pods that mount a Secret that has changed, through their status and nothing else of them.
import type { Clock } from '../clock.ts';
import { type ErrorCode, PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { KubeClient } from '../kube/client.ts';
import { readAll } from '../kube/listing.ts';
import type { Resource } from '../kube/resources.ts';
import { refreshedAtAnnotation, refreshLabel } from './labels.ts';
import type { Leadership } from './leadership.ts';

export interface PodsOptions {
  readonly client: () => Promise<Pick<KubeClient, 'list' | 'merge'>>;
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly observe: Observe;
}

const pods: Resource = { group: '', version: 'v1', plural: 'pods' };

/** Before each touch: kubelet may have the old Secret in its own cache the first time. */
const pausesMilliseconds = [0, 2000, 6000];

/** While the API server is away, or nobody leads: before each attempt, the last one again and again. */
const retryMilliseconds = [1000, 2000, 4000, 8000];

/** By then kubelet has found the change by itself. */
const worthMilliseconds = 90_000;

const passing: ReadonlySet<ErrorCode> = new Set(['cluster-unreachable', 'cluster-failing']);

/** Fifty a second, whoever's they are. */
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
   * Touches them now and twice more; a change meanwhile begins anew. A replica that does not lead holds itself ready to, for
   * when the one that leads ends before it has done so.
   */
  refresh(namespace: string, credential: string): void {
    const key = `${namespace}/${credential}`;
    this.#rounds.get(key)?.abort();
    const stop = new AbortController();
    this.#rounds.set(key, stop);
    const round = this.#round(namespace, credential, stop.signal).finally(() => {
      if (this.#rounds.get(key) === stop) this.#rounds.delete(key);
      this.#running.delete(round);
    });
    this.#running.add(round);
  }

  async stop(): Promise<void> {
    for (const round of this.#rounds.values()) round.abort();
    await Promise.all(this.#running);
  }

  async #round(namespace: string, credential: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const isOver = () => signal.aborted;
    const deadline = clock.now().getTime() + worthMilliseconds;
    const told = new Set<ErrorCode>();
    for (const pause of pausesMilliseconds) {
      await clock.sleep(pause, signal);
      for (let failures = 0; !isOver() && !(await this.#attempt(namespace, credential, told, signal)); failures += 1) {
        if (clock.now().getTime() >= deadline) return;
        await clock.sleep(retryMilliseconds[Math.min(failures, retryMilliseconds.length - 1)] ?? 0, signal);
      }
      if (isOver()) return;
    }
  }

  /** Whether that was that: false when it is worth another attempt. Says once what is in the way. */
  async #attempt(namespace: string, credential: string, told: Set<ErrorCode>, signal: AbortSignal): Promise<boolean> {
    const { observe, leadership } = this.#options;
    const object = `${namespace}/${credential}`;
    if (!leadership.isLeading) return false;
    try {
      const count = await this.#touchAll(namespace, credential, signal);
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
  async #touchAll(namespace: string, credential: string, signal: AbortSignal): Promise<number | undefined> {
    const { client, clock, leadership } = this.#options;
    const labelSelector = `${refreshLabel}=${credential}`;
    const collection = { resource: pods, namespace, labelSelector, isMetadataOnly: true };
    const { objects } = await readAll(await client(), collection, ({ metadata }) => metadata.name, signal);
    let touched = 0;
    for (const { value: name } of objects.values()) {
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

  async #pace(signal: AbortSignal): Promise<void> {
    const before = this.#turn;
    this.#turn = before.then(() => this.#options.clock.sleep(paceMilliseconds, signal));
    await before;
  }
}

function ignoreGone(error: unknown): 'gone' {
  if (error instanceof PaycertError && error.code === 'object-missing') return 'gone';
  throw error;
}
