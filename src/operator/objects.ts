// What is cached of resources and Secrets, and which keys a change of either concerns.
import { paymentCredentials } from '../config/resource.ts';
import type { PaycertError } from '../errors.ts';
import { type Collection, secrets } from '../kube/resources.ts';
import { operatorClassLabel } from './labels.ts';
import { Namespaces } from './namespaces.ts';
import { type PaymentCredential, readResource } from './resource.ts';
import type { ResourceKey } from './resource-key.ts';
import { SecretIndex } from './secret-index.ts';
import { isLabelled, labelledSecret, readSecretFacts, type SecretFacts } from './secrets.ts';
import { Watched, type WatchedOptions } from './watched.ts';

export interface ObjectsOptions extends Pick<
  WatchedOptions<unknown>,
  'client' | 'clock' | 'random' | 'observe' | 'changed'
> {
  /** All of them when it is empty. */
  readonly namespaces: readonly string[];
  /** Of all of them only those with such labels. */
  readonly namespaceSelector?: string | undefined;
  /** Only what has this name in its label; without it, only what has no such label. */
  readonly operatorClass?: string | undefined;
  /** Only these are watched, each by its name; all of the namespaces when it is empty. */
  readonly secrets: readonly { readonly namespace: string; readonly name: string }[];
}

/** Helm keeps a release in one: large, many, and never ours. */
const notHelm = 'type!=helm.sh/release.v1';

/** What the reconciler may see of the caches. */
export type Lookup = Pick<Objects, 'find' | 'secret' | 'secretState' | 'resourcesOf'>;

export class Objects {
  readonly #changed: (key: ResourceKey) => void;
  readonly #operatorClass: string | undefined;
  readonly #resources: Watched<PaymentCredential>;
  readonly #secrets: Watched<SecretFacts>;
  readonly #namespaces: Namespaces | undefined;
  readonly #index = new SecretIndex();
  /** Secrets that are evaluated for their labels, so that losing them is noticed. */
  readonly #labelled = new Set<string>();

  constructor(options: ObjectsOptions) {
    this.#changed = options.changed;
    const within = (namespace?: string) => (namespace === undefined ? {} : { namespace });
    const scopes = options.namespaces.length > 0 ? options.namespaces : [undefined];
    const everything = scopes.map((namespace) => ({ ...within(namespace), fieldSelector: notHelm }));
    const named = options.secrets.length > 0 ? options.secrets : everything;
    const listed = () => this.addAll();
    const { namespaceSelector: selector, operatorClass } = options;
    this.#operatorClass = operatorClass;
    const labelSelector =
      operatorClass === undefined ? `!${operatorClassLabel}` : `${operatorClassLabel}=${operatorClass}`;
    if (selector !== undefined)
      this.#namespaces = new Namespaces({
        ...options,
        selector,
        listed,
        changed: (name) => this.#namespaceChanged(name),
      });
    this.#resources = new Watched({
      ...options,
      listed,
      kind: 'PaymentCredential',
      collections: scopes.map((namespace): Collection => ({
        resource: paymentCredentials,
        labelSelector,
        ...within(namespace),
      })),
      transform: readResource,
      changed: (key) => this.#resourceChanged(key),
    });
    this.#secrets = new Watched({
      ...options,
      listed,
      kind: 'Secret',
      collections: named.map((which): Collection => ({ resource: secrets, isMetadataOnly: true, ...which })),
      transform: readSecretFacts,
      changed: (key) => this.#secretChanged(key),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#namespaces?.run(signal), this.#resources.run(signal), this.#secrets.run(signal)]);
  }

  /** Whether everything has been listed once. */
  get isSynced(): boolean {
    return this.#resources.isSynced && this.#secrets.isSynced && (this.#namespaces?.isSynced ?? true);
  }

  /** Why changes would be missed. */
  get trouble(): PaycertError | undefined {
    return this.#namespaces?.trouble ?? this.#resources.trouble ?? this.#secrets.trouble;
  }

  /** A resource, or a labelled Secret that no resource names, as it is cached. */
  find(key: ResourceKey): PaymentCredential | undefined {
    if (this.#namespaces?.has(key.namespace) === false) return undefined;
    if (key.kind === 'PaymentCredential') return this.#resources.get(key);
    const facts = this.#secrets.get(key);
    return facts && this.findLabelled(key, facts);
  }

  /** A Secret as its labels describe it, stored or not; undefined where they do not, or a resource names it. */
  findLabelled(key: ResourceKey, facts: SecretFacts): PaymentCredential | undefined {
    if (this.#namespaces?.has(key.namespace) === false) return undefined;
    if (!isLabelled(facts) || facts.labels?.[operatorClassLabel] !== this.#operatorClass) return undefined;
    if (this.#index.resourcesOf(key).length > 0) return undefined;
    return labelledSecret(key, facts);
  }

  secret(key: ResourceKey): SecretFacts | undefined {
    return this.#secrets.get(key);
  }

  /** The resources that name a Secret. */
  resourcesOf(secret: ResourceKey): readonly ResourceKey[] {
    return this.#index.resourcesOf(secret);
  }

  /** Whether a Secret would be cached if it existed. */
  secretState(key: ResourceKey): ReturnType<Watched<SecretFacts>['state']> {
    return this.#secrets.state(key);
  }

  /** Reports every key as changed. */
  addAll(): void {
    for (const key of this.#resources.keys()) this.#changed(key);
    for (const key of this.#secrets.keys()) this.#labelsChanged(key);
  }

  #namespaceChanged(namespace: string): void {
    const isIn = (key: ResourceKey) => key.namespace === namespace;
    for (const key of this.#resources.keys().filter(isIn)) this.#changed(key);
    for (const key of this.#secrets.keys().filter(isIn)) this.#labelsChanged(key);
  }

  #resourceChanged(key: ResourceKey): void {
    // The Secret that it named before and the one that it names now: whether their labels count may have changed.
    for (const secret of this.#index.set(key, this.#resources.get(key))) this.#labelsChanged(secret);
    this.#changed(key);
  }

  #secretChanged(key: ResourceKey): void {
    for (const resource of this.#index.resourcesOf(key)) this.#changed(resource);
    this.#labelsChanged(key);
  }

  /** Reports also a Secret that has just lost its label: what is known of it is dropped. */
  #labelsChanged(key: ResourceKey): void {
    const isNow = this.find(key) !== undefined;
    const wasBefore = this.#labelled.delete(key.toString());
    if (isNow) this.#labelled.add(key.toString());
    if (isNow || wasBefore) this.#changed(key);
  }
}
