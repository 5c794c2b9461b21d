// The Pods that have a sidecar, by their label, as the API server has them: a watch for each namespace, or one for all.
import type { PaycertError } from '../../errors.ts';
import { pods } from '../../kube/resources.ts';
import { Informer, type InformerOptions } from '../../kube/watch.ts';
import { sidecarLabel } from '../labels.ts';
import { relistMilliseconds, toleratedMilliseconds } from '../watched.ts';
import { type FleetPod, readPod } from './pod.ts';

export interface FleetPodsOptions extends Pick<
  InformerOptions<FleetPod>,
  'client' | 'clock' | 'random' | 'observe' | 'listed'
> {
  /** All of them when it is empty. */
  readonly namespaces: readonly string[];
  readonly mayBeAsked: (address: string) => boolean;
  /** The key is `namespace/name`; undefined when it is gone. */
  readonly changed: (key: string, pod: FleetPod | undefined) => void;
}

export class FleetPods {
  readonly #options: FleetPodsOptions;
  readonly #informers: readonly Informer<FleetPod>[];

  constructor(options: FleetPodsOptions) {
    this.#options = options;
    const scopes = options.namespaces.length > 0 ? options.namespaces : [undefined];
    this.#informers = scopes.map((namespace) => this.#inform(namespace));
  }

  #inform(namespace: string | undefined): Informer<FleetPod> {
    const { mayBeAsked, changed } = this.#options;
    const informer: Informer<FleetPod> = new Informer({
      ...this.#options,
      collection: {
        resource: pods,
        labelSelector: `${sidecarLabel}=true`,
        ...(namespace !== undefined && { namespace }),
      },
      name: namespace === undefined ? 'pods' : `pods/${namespace}`,
      transform: (object) => readPod(object, mayBeAsked),
      changed: (key) => changed(key, informer.get(key)),
      relistMilliseconds,
    });
    return informer;
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.run(signal)));
  }

  get isSynced(): boolean {
    return this.#informers.every(({ isSynced }) => isSynced);
  }

  /** Why Pods are missed: they were never listed, or not watched for longer than a restart of the API server takes. */
  get trouble(): PaycertError | undefined {
    const now = this.#options.clock.now().getTime();
    return this.#informers.find(
      ({ trouble, isSynced }) => trouble && (!isSynced || now - trouble.since.getTime() > toleratedMilliseconds),
    )?.trouble?.error;
  }
}
