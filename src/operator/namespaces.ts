// Which namespaces count, by their labels: what is in the others is as if it were not there.
import { Informer, type InformerOptions } from '../kube/watch.ts';
import type { Resource } from '../kube/resources.ts';
import { relistMilliseconds } from './watched.ts';

const namespaces: Resource = { group: '', version: 'v1', plural: 'namespaces' };

export interface NamespacesOptions extends Pick<
  InformerOptions<true>,
  'client' | 'clock' | 'random' | 'observe' | 'listed'
> {
  /** As kubectl's `--selector`. */
  readonly selector: string;
  /** This one counts now, or does not any more. */
  readonly changed: (namespace: string) => void;
}

/** A watch with a selector reports also what has just lost its label. */
export class Namespaces {
  readonly #informer: Informer<true>;

  constructor({ selector, ...options }: NamespacesOptions) {
    this.#informer = new Informer({
      ...options,
      collection: { resource: namespaces, labelSelector: selector, isMetadataOnly: true },
      name: 'namespaces',
      transform: () => true,
      relistMilliseconds,
    });
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#informer.run(signal);
  }

  has(namespace: string): boolean {
    return this.#informer.get(namespace) === true;
  }

  get isSynced(): boolean {
    return this.#informer.isSynced;
  }

  /** Why it is not known which count; a watch that ends is begun again, and loses nothing. */
  get trouble() {
    return this.isSynced ? undefined : this.#informer.trouble?.error;
  }
}
