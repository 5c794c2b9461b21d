// The objects of one kind in all namespaces, in some, or some by name: a watch each, whose renewal finds a withdrawn permission.
import type { Clock } from '../clock.ts';
import type { PaycertError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Collection } from '../kube/resources.ts';
import { Informer, type InformerOptions } from '../kube/watch.ts';
import { type Kind, ResourceKey } from './resource-key.ts';

type Client = () => Promise<Pick<KubeClient, 'list' | 'watch'>>;

export interface WatchedOptions<T> extends Pick<InformerOptions<T>, 'transform' | 'random' | 'observe'> {
  readonly client: Client;
  readonly clock: Clock;
  readonly collections: readonly Collection[];
  readonly kind: Kind;
  /** This one may have changed. */
  readonly changed: (key: ResourceKey) => void;
  /** Everything of one collection has been listed. */
  readonly listed: () => void;
}

/**
 * What a watch missed is rare, and hundreds of namespaces are listed each: seldom, then. A permission that is withdrawn is found
 * sooner, when the watch is renewed, within eight minutes.
 */
export const relistMilliseconds = 1_800_000;

/** A restart of the API server takes no longer, and leaves a replica ready. */
export const toleratedMilliseconds = 60_000;

interface Part<T> {
  readonly collection: Collection;
  readonly informer: Informer<T>;
}

export class Watched<T> {
  readonly #options: WatchedOptions<T>;
  readonly #parts: readonly Part<T>[];

  constructor(options: WatchedOptions<T>) {
    this.#options = options;
    this.#parts = options.collections.map((collection) => ({
      collection,
      informer: new Informer({
        ...options,
        collection,
        changed: (key) => options.changed(this.#keyOf(key)),
        name: nameOf(collection),
        relistMilliseconds,
      }),
    }));
  }

  /** Ends on abort only; rejects only with what is a bug. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#parts.map(({ informer }) => informer.run(signal)));
  }

  get(key: ResourceKey): T | undefined {
    return this.#partOf(key)?.informer.get(key.object);
  }

  keys(): ResourceKey[] {
    return this.#parts.flatMap(({ informer }) => informer.entries().map(([key]) => this.#keyOf(key)));
  }

  get isSynced(): boolean {
    return this.#parts.every(({ informer }) => informer.isSynced);
  }

  /** Whether an object would be cached if it existed; an error says what prevents that. */
  state(key: ResourceKey): 'listed' | 'pending' | 'unwatched' | PaycertError {
    const informer = this.#partOf(key)?.informer;
    if (informer === undefined) return 'unwatched';
    return informer.isSynced ? 'listed' : (informer.trouble?.error ?? 'pending');
  }

  /** What cannot be listed at all, or could not be watched for longer than a restart of the API server takes. */
  get trouble(): PaycertError | undefined {
    const now = this.#options.clock.now().getTime();
    const troubling = this.#parts.find(
      ({ informer: { trouble, isSynced } }) =>
        trouble && (!isSynced || now - trouble.since.getTime() > toleratedMilliseconds),
    );
    return troubling?.informer.trouble?.error;
  }

  #keyOf(key: string): ResourceKey {
    return ResourceKey.fromString(`${this.#options.kind}/${key}`);
  }

  #partOf({ namespace, name }: ResourceKey): Part<T> | undefined {
    return this.#parts.find(
      ({ collection }) =>
        (collection.namespace === undefined || collection.namespace === namespace) &&
        (collection.name === undefined || collection.name === name),
    );
  }
}

const nameOf = ({ resource, namespace, name }: Collection): string =>
  [resource.plural, ...[namespace, name].filter((part) => part !== undefined)].map(String).join('/');
