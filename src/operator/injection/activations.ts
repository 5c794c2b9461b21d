// Says to each injected Pod when the next of two staged Secrets signs: an annotation, which kubelet shows to its sidecar.
import { type Activations, formatActivations, readActivations } from '../../config/activations.ts';
import { parseSpec, setsOf, withVerdict } from '../../config/resource.ts';
import { type ErrorCode, PaycertError } from '../../errors.ts';
import type { Observe } from '../../events.ts';
import type { KubeClient } from '../../kube/client.ts';
import { pods as podResource } from '../../kube/resources.ts';
import { activationsAnnotation } from '../labels.ts';
import type { Leadership } from '../leadership.ts';
import type { Objects } from '../objects.ts';
import type { Pods } from '../pods.ts';
import { ResourceKey } from '../resource-key.ts';
import type { PodFacts, StagedMount } from './facts.ts';

export interface ActivationWriterOptions {
  readonly client: () => Promise<Pick<KubeClient, 'merge'>>;
  readonly lookup: Pick<Objects, 'find'>;
  readonly leadership: Leadership;
  readonly touches: Pick<Pods, 'repeat'>;
  readonly observe: Observe;
}

/** It is gone, or another one has its name. */
const over: ReadonlySet<ErrorCode> = new Set(['object-missing', 'object-conflict']);

export class ActivationWriter {
  readonly #options: ActivationWriterOptions;
  /** By Pod: why it could not be written. */
  readonly #failures = new Map<string, ErrorCode>();

  constructor(options: ActivationWriterOptions) {
    this.#options = options;
  }

  /** Makes the annotation of each equal to what the resources say; one that is right is left alone. */
  async write(pods: readonly PodFacts[], signal: AbortSignal): Promise<void> {
    for (const uid of this.#failures.keys()) if (!pods.some((pod) => pod.uid === uid)) this.#failures.delete(uid);
    for (const pod of pods) {
      if (signal.aborted) return;
      const wanted = pod.staged.length === 0 || pod.isEnding ? pod.activations : this.#wantedBy(pod);
      if (wanted !== undefined && wanted !== pod.activations) await this.#writeOne(pod, wanted, signal);
    }
  }

  /** What no resource says any more stays as it was: the Pod signs on with what it signs with. */
  #wantedBy({ namespace, staged, activations }: PodFacts): string {
    const before = readBefore(activations);
    return formatActivations(
      new Map(
        staged.flatMap((mount) => {
          const activate = this.#activateOf(namespace, mount) ?? before.get(mount.credential);
          return activate ? [[mount.credential, activate]] : [];
        }),
      ),
    );
  }

  /** Undefined where the resource is about other Secrets than those that the Pod mounts. */
  #activateOf(namespace: string, { credential, current, next }: StagedMount) {
    const resource = this.#options.lookup.find(new ResourceKey('PaymentCredential', namespace, credential));
    try {
      const { source } = withVerdict(parseSpec(resource?.spec), resource?.status);
      const sets = setsOf(source);
      const isSame = sets.current.name === current && sets.next?.name === next;
      return isSame ? source.staged?.activate : undefined;
    } catch (error) {
      if (error instanceof PaycertError) return undefined;
      throw error;
    }
  }

  async #writeOne({ namespace, name, uid }: PodFacts, text: string, signal: AbortSignal): Promise<void> {
    const { client, leadership, touches, observe } = this.#options;
    const object = `${namespace}/${name}`;
    const target = { resource: podResource, namespace, name, subresource: 'status' };
    const changes = { metadata: { uid, annotations: { [activationsAnnotation]: text } } };
    try {
      const written = await leadership.write(async (leading) =>
        (await client()).merge(target, changes, AbortSignal.any([leading, signal])),
      );
      this.#failures.delete(uid);
      if (!written) return;
      observe({ type: 'activation-written', object });
      // Kubelet projects what it had cached when it looked: where that was older, it would look next within a minute or two.
      touches.repeat(namespace, name);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof PaycertError)) throw error;
      if (over.has(error.code)) return;
      const isNew = this.#failures.get(uid) !== error.code;
      this.#failures.set(uid, error.code);
      observe({ type: 'activation-unwritten', object, error, isNew });
    }
  }
}

function readBefore(text = ''): Activations {
  try {
    return readActivations(text);
  } catch (error) {
    if (error instanceof PaycertError) return new Map();
    throw error;
  }
}
