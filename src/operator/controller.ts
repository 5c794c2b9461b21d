// The operator's parts together: watches tell a queue, the queue looks at one resource at a time, and the leader writes.
import type { Clock } from '../clock.ts';
import type { BuildDependencies } from '../running/build.ts';
import { paymentCredentials } from '../config/resource.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { KubeClient } from '../kube/client.ts';
import { type Collection, secrets } from '../kube/resources.ts';
import { Leadership } from './leadership.ts';
import { Pods } from './pods.ts';
import { Queue } from './queue.ts';
import { Reconciler } from './reconcile.ts';
import { type PaymentCredential, readResource, type Status } from './resource.ts';
import { SecretIndex } from './secret-index.ts';
import { isLabelled, labelledSecret, readSecretFacts, type SecretFacts } from './secrets.ts';
import { Watched } from './watched.ts';

export interface ControllerOptions {
  readonly client: () => Promise<KubeClient>;
  /** All of them when it is empty. */
  readonly namespaces: readonly string[];
  /** Only these are watched, each by its name; all of the namespaces when it is empty. */
  readonly secrets: readonly { readonly namespace: string; readonly name: string }[];
  readonly refreshesPods: boolean;
  /** Of this process alone, such as the name of its pod. */
  readonly identity: string;
  readonly clock: Clock;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly observe: Observe;
  readonly dependencies: BuildDependencies;
}

/** Secrets are fetched and checked by so many at once: each may have 1 MiB. */
const workers = 8;

/** Helm keeps a release in one: large, many, and never ours. */
const notHelm = 'type!=helm.sh/release.v1';

export class Controller {
  readonly #resources: Watched<PaymentCredential>;
  readonly #secrets: Watched<SecretFacts>;
  readonly #index = new SecretIndex();
  readonly #queue: Queue;
  readonly #reconciler: Reconciler;
  readonly #leadership = new Leadership();
  readonly #pods: Pods;

  constructor(options: ControllerOptions) {
    const { clock, observe, random } = options;
    const shared = { ...options, listed: () => this.#lookAtAll() };
    const within = (namespace?: string) => (namespace === undefined ? {} : { namespace });
    const scopes = options.namespaces.length > 0 ? options.namespaces : [undefined];
    this.#resources = new Watched({
      ...shared,
      collections: scopes.map((namespace): Collection => ({ resource: paymentCredentials, ...within(namespace) })),
      transform: readResource,
      changed: (key) => this.#resourceChanged(key),
    });
    const everything = scopes.map((namespace) => ({ ...within(namespace), fieldSelector: notHelm }));
    const named = options.secrets.length > 0 ? options.secrets : everything;
    this.#secrets = new Watched({
      ...shared,
      collections: named.map((which): Collection => ({ resource: secrets, isMetadataOnly: true, ...which })),
      transform: readSecretFacts,
      changed: (key) => this.#secretChanged(key),
    });
    this.#pods = new Pods({ ...options, leadership: this.#leadership });
    this.#reconciler = new Reconciler({
      ...options,
      watched: this.#secrets,
      current: (key) => this.#current(key),
      leadership: this.#leadership,
      secretChanged: (resource, { spec }) => {
        if (options.refreshesPods && spec?.refreshPods === true) this.#pods.refresh(resource.namespace, resource.name);
      },
    });
    this.#queue = new Queue({
      clock,
      random,
      look: (key, signal) => this.#reconciler.look(key, signal),
      failed: (key, error) => {
        const [, object = ''] = key.split(/\/(.*)/s);
        if (error instanceof PaycertError)
          observe({ type: 'reconciled', object, outcome: 'failed', error, seconds: 0 });
        else observe({ type: 'internal-error', where: 'operator', error });
      },
    });
  }

  /** Watches and looks until abort. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#resources.run(signal), this.#secrets.run(signal), this.#queue.run(workers, signal)]);
    await this.#pods.stop();
  }

  /** A task for the time in which this replica is the one that writes. */
  async lead(signal: AbortSignal): Promise<void> {
    await this.#leadership.lead(() => this.#lookAtAll(), signal);
  }

  /** Whether everything has been listed once. */
  get isSynced(): boolean {
    return this.#resources.isSynced && this.#secrets.isSynced;
  }

  /** Why this replica would not notice a change; undefined when it would. */
  get impediment(): string | undefined {
    const trouble = this.#resources.trouble ?? this.#secrets.trouble;
    return trouble?.message ?? (this.isSynced ? undefined : 'not everything has been listed yet');
  }

  get queueLength(): number {
    return this.#queue.size;
  }

  statuses(): Iterable<{ readonly resource: PaymentCredential; readonly status: Status }> {
    return this.#reconciler.statuses();
  }

  #lookAtAll(): void {
    for (const key of this.#resources.keys()) this.#queue.add(`PaymentCredential/${key}`);
    for (const key of this.#secrets.keys()) this.#lookAtLabelled(key);
  }

  #resourceChanged(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    // The Secret that it no longer names, and the one that it names now, may speak for themselves or not any more.
    for (const secret of this.#index.set(key, this.#resources.get(namespace, name))) this.#lookAtLabelled(secret);
    this.#queue.add(`PaymentCredential/${key}`);
  }

  #secretChanged(key: string): void {
    for (const resource of this.#index.resourcesOf(key)) this.#queue.add(`PaymentCredential/${resource}`);
    this.#lookAtLabelled(key);
  }

  /** Also one that has just lost its label: what is known of it goes. */
  #lookAtLabelled(key: string): void {
    if (this.#labelled(key) || this.#reconciler.knows(`Secret/${key}`)) this.#queue.add(`Secret/${key}`);
  }

  #labelled(key: string): PaymentCredential | undefined {
    const [namespace = '', name = ''] = key.split('/');
    const facts = this.#secrets.get(namespace, name);
    if (facts === undefined || !isLabelled(facts) || this.#index.resourcesOf(key).size > 0) return undefined;
    return labelledSecret(namespace, name, facts);
  }

  #current(queued: string): PaymentCredential | undefined {
    const [kind = '', namespace = '', name = ''] = queued.split('/');
    return kind === 'Secret' ? this.#labelled(`${namespace}/${name}`) : this.#resources.get(namespace, name);
  }
}
