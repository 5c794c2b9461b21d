// The objects of one kind in all namespaces, in some, or some by name: a watch each, and a probe for withdrawn permission.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
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

/** A watch continues when its permission is withdrawn: only the next request is refused. */
const probeMilliseconds = 50_000;
/** One by name is listed as often as it would be probed. */
const relistMilliseconds = { one: probeMilliseconds, many: 600_000 };

/** A restart of the API server takes no longer, and leaves a replica ready. */
const toleratedMilliseconds = 60_000;

interface Part<T> {
  readonly collection: Collection;
  readonly informer: Informer<T>;
  trouble: { readonly since: Date; readonly error: PaycertError } | undefined;
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
        relistMilliseconds: relistMilliseconds[collection.name === undefined ? 'many' : 'one'],
      }),
      trouble: undefined,
    }));
  }

  /** Ends on abort only; rejects only with what is a bug. */
  async run(signal: AbortSignal): Promise<void> {
    const probed = this.#parts.filter(({ collection }) => collection.name === undefined);
    await Promise.all([
      ...this.#parts.map(({ informer }) => informer.run(signal)),
      ...probed.map((part) => this.#probe(part, signal)),
    ]);
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
    const troubles = this.#parts.flatMap(({ informer, trouble: denied }) =>
      [informer.trouble, denied].filter(
        (one) => one && (!informer.isSynced || now - one.since.getTime() > toleratedMilliseconds),
      ),
    );
    return troubles[0]?.error;
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

  async #probe(part: Part<T>, signal: AbortSignal): Promise<void> {
    const { client, clock, random, observe } = this.#options;
    const isOver = () => signal.aborted;
    for (;;) {
      await clock.sleep(probeMilliseconds * (0.8 + random() * 0.2), signal);
      if (isOver()) return;
      try {
        await (await client()).list({ ...part.collection, isMetadataOnly: true }, { limit: 1 }, signal);
        if (part.trouble) observe({ type: 'watch-restarted', source: nameOf(part.collection) });
        part.trouble = undefined;
      } catch (error) {
        if (isOver()) return;
        if (!(error instanceof PaycertError)) throw error;
        // A failure that passes ends the watch too, and is reported there.
        if (!['cluster-forbidden', 'cluster-unauthenticated'].includes(error.code)) continue;
        if (!part.trouble)
          observe({ type: 'watch-failed', source: nameOf(part.collection), reason: error.code, error });
        part.trouble ??= { since: clock.now(), error };
      }
    }
  }
}

const nameOf = ({ resource, namespace, name }: Collection): string =>
  [resource.plural, ...[namespace, name].filter((part) => part !== undefined)].map(String).join('/');
