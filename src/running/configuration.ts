// Everything that a configuration says there is: its own credentials, and those of the PaymentCredentials that it follows.
import { isDeepStrictEqual } from 'node:util';
import { PaycertError } from '../errors.ts';
import type { Event } from '../events.ts';
import type { Learn } from '../gateway/proving.ts';
import type { KubeClient } from '../kube/client.ts';
import { ownNamespace } from '../kube/resources.ts';
import { Informer } from '../kube/watch.ts';
import type { Dependencies } from '../store/attempt.ts';
import type { CredentialPolicy } from '../store/store.ts';
import { buildPolicy, cluster, type BuildDependencies } from './build.ts';
import { Credentials } from './credentials.ts';
import {
  credentialOf,
  nameOf,
  parseSpec,
  paymentCredentials,
  type ResourceSpec,
  suspendedSince,
  withVerdict,
} from '../config/resource.ts';
import { defaults } from '../config/defaults.ts';
import type { Config } from '../config/schema/config.ts';
import type { CredentialConfig, ResourceEntry } from '../config/schema/credential.ts';

type Wanted = Pick<Config, 'credentials' | 'resources'>;

interface Subscription {
  readonly entry: ResourceEntry;
  /** The last that made sense. */
  spec: ResourceSpec | undefined;
  suspendedSince: Date | undefined;
  /** Why what it says now does not count; reported once. */
  refused: string | undefined;
  /** The same, while the API server does not show it. */
  unwatched: string | undefined;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** So that a permission that is withdrawn, or an event that is missed, is known within a minute. */
const relistMilliseconds = 50_000;

export class RunningConfiguration {
  readonly #dependencies: Dependencies;
  readonly #client: () => Promise<Pick<KubeClient, 'list' | 'watch'>>;
  readonly #credentials: Credentials;
  readonly #followed = new Map<string, Subscription>();
  #own: readonly CredentialConfig[] = [];

  constructor(dependencies: Dependencies, building: BuildDependencies) {
    this.#dependencies = dependencies;
    this.#client = cluster(building);
    this.#credentials = new Credentials(dependencies, building);
  }

  /** Says what there will be, before anything is loaded: what is required is not ready from the first moment on. */
  declare({ credentials, resources }: Wanted): void {
    this.#credentials.declare(credentials);
    for (const entry of resources) this.#dependencies.store.declare(nameOf(entry), policyOf(entry));
  }

  /** Makes what runs equal to what the configuration says; what did not change is left alone. */
  apply({ credentials, resources }: Wanted): void {
    this.#own = credentials;
    const wanted = new Map(resources.map((entry) => [nameOf(entry), entry]));
    for (const [name, { entry, stop }] of this.#followed) {
      if (isDeepStrictEqual(wanted.get(name), entry)) continue;
      stop.abort();
      this.#followed.delete(name);
      // One that was never loaded is known by its name alone.
      this.#dependencies.store.remove(name);
    }
    for (const [name, entry] of wanted) if (!this.#followed.has(name)) this.#follow(name, entry);
    this.#load();
  }

  /** As `Credentials.learn`. */
  readonly learn: Learn = (credential, keyId, gone) => this.#credentials.learn(credential, keyId, gone);

  /** What happens elsewhere in this process, and may be a reason to ask a platform. */
  noticed(event: Event): void {
    this.#credentials.noticed(event);
  }

  async stop(): Promise<void> {
    const all = [...this.#followed.values()];
    for (const { stop } of all) stop.abort();
    await Promise.all(all.map(({ ended }) => ended));
    await this.#credentials.stop();
  }

  #follow(name: string, entry: ResourceEntry): void {
    const { clock, observe } = this.#dependencies;
    const stop = new AbortController();
    const namespace = entry.namespace ?? ownNamespace;
    const informer = new Informer({
      client: this.#client,
      collection: { resource: paymentCredentials, namespace, name: entry.resource },
      name: `resource:${entry.resource}`,
      transform: (object) => ({
        spec: object['spec'],
        status: object['status'],
        suspendedSince: suspendedSince(object),
      }),
      changed: (key) => this.#changed(followed, name, informer.get(key)),
      listed: () => {
        if (informer.entries().length === 0) this.#changed(followed, name, undefined);
      },
      relistMilliseconds,
      clock,
      random: Math.random,
      observe: (event) => {
        observe(event);
        this.#watched(followed, name, event);
      },
    });
    const ended = informer.run(stop.signal).catch((error: unknown) => {
      observe({ type: 'internal-error', where: 'config', error });
    });
    const followed: Subscription = {
      ...{ entry, spec: undefined, suspendedSince: undefined, refused: undefined, unwatched: undefined },
      ...{ stop, ended },
    };
    this.#followed.set(name, followed);
  }

  /** That the API server refuses to show it lasts until somebody acts; what passes by itself is in the log alone. */
  #watched(followed: Subscription, name: string, event: Event): void {
    const { clock, store } = this.#dependencies;
    if (followed.stop.signal.aborted) return;
    if (event.type === 'watch-failed' && event.error !== undefined && lasting.has(event.error.code)) {
      const { error } = event;
      [followed.refused, followed.unwatched] = [error.message, error.message];
      store.update(name, (entry) => ({ ...entry, resourceError: { at: clock.now(), error } }));
    } else if (event.type === 'watch-restarted' && followed.unwatched !== undefined) {
      // Unless what was listed since is refused for what it says.
      if (followed.refused === followed.unwatched) {
        followed.refused = undefined;
        store.update(name, (entry) => ({ ...entry, resourceError: undefined }));
      }
      followed.unwatched = undefined;
    }
  }

  /** A resource that is gone or makes no sense leaves the last that did: only `suspend` revokes. */
  #changed(
    followed: Subscription,
    name: string,
    object: (Pick<Subscription, 'suspendedSince'> & { readonly spec: unknown; readonly status: unknown }) | undefined,
  ): void {
    const { observe, clock, store } = this.#dependencies;
    // What comes late has no effect.
    if (followed.stop.signal.aborted) return;
    const { resource } = followed.entry;
    try {
      if (object === undefined)
        throw new PaycertError('object-missing', `there is no PaymentCredential "${resource}", or no more`);
      const spec = withVerdict(parseSpec(object.spec), object.status);
      if (followed.refused !== undefined) store.update(name, (entry) => ({ ...entry, resourceError: undefined }));
      followed.refused = undefined;
      // Its status changes too, and concerns nobody here.
      if (isDeepStrictEqual(spec, followed.spec)) return;
      followed.spec = spec;
      followed.suspendedSince = object.suspendedSince;
    } catch (error) {
      if (!(error instanceof PaycertError)) throw error;
      if (followed.refused !== error.message) {
        store.update(name, (entry) => ({ ...entry, resourceError: { at: clock.now(), error } }));
        observe({ type: 'resource-refused', credential: name, error });
      }
      followed.refused = error.message;
      return;
    }
    observe({ type: 'resource-followed', credential: name, isSuspended: followed.spec.suspend === true });
    this.#load();
  }

  #load(): void {
    const all = [...this.#own];
    const withheld = new Map<string, CredentialPolicy>();
    for (const [name, { entry, spec, suspendedSince: since }] of this.#followed) {
      if (spec === undefined || spec.suspend === true) withheld.set(name, policyOf(entry, spec, since));
      else all.push(credentialOf(entry, spec));
    }
    this.#credentials.apply(all, withheld);
    for (const [
      name,
      {
        entry: { resource, namespace },
      },
    ] of this.#followed)
      this.#dependencies.store.update(name, (entry) => ({ ...entry, follows: { name: resource, namespace } }));
  }
}

/** Refusals of the API server to list or watch. */
const lasting: ReadonlySet<string> = new Set(['definition-missing', 'cluster-forbidden', 'cluster-unauthenticated']);

const policyOf = (entry: ResourceEntry, spec?: ResourceSpec, since?: Date): CredentialPolicy =>
  spec
    ? { ...buildPolicy(credentialOf(entry, spec)), suspendedSince: since }
    : { provider: 'unknown', isRequired: entry.required ?? false, requires: defaults.require };
