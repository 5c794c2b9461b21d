// Makes kubelet look at once: touches the Pods that mount a Secret that has changed, through their status and nothing else of them.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
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

/** After the change: kubelet may have the old Secret in its own cache the first time. */
const touchAfterMilliseconds = [0, 2000, 8000];

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

  /** Touches them now and twice more; a change meanwhile begins anew. */
  refresh(namespace: string, credential: string): void {
    if (!this.#options.leadership.isLeading) return;
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
    const { clock, observe, leadership } = this.#options;
    const object = `${namespace}/${credential}`;
    const isOver = () => signal.aborted;
    let waited = 0;
    for (const after of touchAfterMilliseconds) {
      await clock.sleep(after - waited, signal);
      waited = after;
      if (isOver() || !leadership.isLeading) return;
      try {
        const count = await this.#touchAll(namespace, credential, signal);
        observe({ type: 'pods-refreshed', object, pods: count });
      } catch (error) {
        if (isOver()) return;
        if (error instanceof PaycertError) observe({ type: 'pods-refreshed', object, pods: 0, error });
        else observe({ type: 'internal-error', where: 'pods', error });
      }
    }
  }

  async #touchAll(namespace: string, credential: string, signal: AbortSignal): Promise<number> {
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
      if (written !== undefined) touched += 1;
    }
    return touched;
  }

  async #pace(signal: AbortSignal): Promise<void> {
    const before = this.#turn;
    this.#turn = before.then(() => this.#options.clock.sleep(paceMilliseconds, signal));
    await before;
  }
}

function ignoreGone(error: unknown): undefined {
  if (error instanceof PaycertError && error.code === 'object-missing') return undefined;
  throw error;
}
