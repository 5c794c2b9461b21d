// Looks again and again at the Pods that ask for a sidecar, while this replica leads: says what became of them and when their staged keys sign, and recreates what has none.
import type { Clock } from '../../clock.ts';
import { PaycertError } from '../../errors.ts';
import type { Observe } from '../../events.ts';
import type { ActivationWriter } from './activations.ts';
import type { PodFacts } from './facts.ts';
import type { InjectedPods } from './injected-pods.ts';
import type { OwnerEvents } from './owner-events.ts';
import { isRecreated, recreateNext, type RecreateOptions } from './recreate.ts';

export interface InjectionRoundsOptions extends RecreateOptions {
  readonly pods: Pick<InjectedPods, 'list' | 'isSynced'>;
  readonly events: Pick<OwnerEvents, 'tell'>;
  readonly activations: Pick<ActivationWriter, 'write'>;
  readonly recreatesMissing: boolean;
  readonly clock: Clock;
  readonly observe: Observe;
}

const pauseMilliseconds = 5000;
/** After an attempt that was refused, by a budget or for want of the webhook. */
const retryMilliseconds = 60_000;

export class InjectionRounds {
  readonly #options: InjectionRoundsOptions;
  /** Evicted already, which the watch may not have seen yet. */
  readonly #evicted = new Set<string>();
  /** By owner, when it may be tried again. */
  readonly #notBefore = new Map<string, number>();

  constructor(options: InjectionRoundsOptions) {
    this.#options = options;
  }

  /** Until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, pods } = this.#options;
    const isOver = () => signal.aborted;
    while (!isOver()) {
      if (pods.isSynced) await this.round(signal);
      await clock.sleep(pauseMilliseconds, signal);
    }
  }

  async round(signal: AbortSignal): Promise<void> {
    const { pods, events, activations, recreatesMissing } = this.#options;
    const all = pods.list();
    try {
      await activations.write(all, signal);
      await events.tell(all, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    if (!recreatesMissing) return;
    for (const uid of this.#evicted) if (!all.some((pod) => pod.uid === uid)) this.#evicted.delete(uid);
    const seen = all.map((pod) => ({ ...pod, isEnding: pod.isEnding || this.#evicted.has(pod.uid) }));
    for (const ofOwner of Map.groupBy(seen, ({ owner }) => owner?.uid).values())
      if (!signal.aborted) await this.#recreate(ofOwner, signal);
  }

  async #recreate(pods: readonly PodFacts[], signal: AbortSignal): Promise<void> {
    const { clock, observe } = this.#options;
    const [{ owner, namespace } = { owner: undefined, namespace: '' }] = pods;
    if (owner === undefined || !isRecreated(owner) || !pods.some(({ state }) => state === 'missing')) return;
    const now = clock.now().getTime();
    if ((this.#notBefore.get(owner.uid) ?? 0) > now) return;
    this.#notBefore.delete(owner.uid);
    const object = `${namespace}/${owner.name}`;
    try {
      const result = await recreateNext(owner, pods, this.#options, signal);
      const { outcome } = result;
      if (outcome === 'waiting') return;
      if (outcome === 'evicted') this.#evicted.add(result.uid);
      else this.#notBefore.set(owner.uid, now + retryMilliseconds);
      observe({ type: 'pod-recreated', object, kind: owner.kind, outcome });
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof PaycertError)) throw error;
      this.#notBefore.set(owner.uid, now + retryMilliseconds);
      observe({ type: 'pod-recreated', object, kind: owner.kind, outcome: 'failed', error });
    }
  }
}
