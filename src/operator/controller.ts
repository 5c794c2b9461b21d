// The operator's parts together: watches fill a queue, the queue reconciles one key at a time, and the leader writes.
import { type ErrorCode, PaycertError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { Reviewer } from './admission/reviewer.ts';
import { Downloads, type DownloadsOptions } from './certificates/downloads.ts';
import { EventRecorder } from './event-recorder.ts';
import { Fleet } from './fleet/fleet.ts';
import { ActivationWriter } from './injection/activations.ts';
import { InjectedPods } from './injection/injected-pods.ts';
import { OwnerEvents } from './injection/owner-events.ts';
import { InjectionRounds } from './injection/rounds.ts';
import { Leadership } from './leadership.ts';
import { Objects, type ObjectsOptions } from './objects.ts';
import { Pods } from './pods.ts';
import type { InjectedServices } from '../config/injected-services.ts';
import { Queue } from './queue.ts';
import { Reconciler } from './reconcile.ts';
import type { PaymentCredential, Status } from './resource.ts';
import type { ResourceKey } from './resource-key.ts';

/** Of sidecars into Pods. */
export interface ControllerInjection {
  readonly image: string;
  readonly version: string;
  readonly recreatesMissing: boolean;
  readonly keyServices?: InjectedServices | undefined;
}

export interface ControllerOptions extends Omit<ObjectsOptions, 'client' | 'changed'> {
  readonly client: () => Promise<KubeClient>;
  readonly refreshesPods: boolean;
  /** Whether sidecars are asked what they have. */
  readonly asksFleet: boolean;
  /** The ConfigMap by which the next leader knows how far the audits of sidecars went. */
  readonly auditEnds?: { readonly namespace: string; readonly name: string } | undefined;
  /** Which addresses of Pods may be asked; those that a Pod may have, unless it is given. */
  readonly mayBeAsked?: ((address: string) => boolean) | undefined;
  /** Whether the certificates that platforms sign with are downloaded; `double`: called in place of every platform, for tests. */
  readonly downloads?: Pick<DownloadsOptions, 'double' | 'wayOut'> | undefined;
  readonly secretOptIn: boolean;
  /** Whether writes of labelled Secrets are reviewed before they are stored. */
  readonly reviews: boolean;
  /** Without it nothing is injected, and no Pod is watched. */
  readonly injection?: ControllerInjection | undefined;
  /** So many resources are looked at in one moment: the Secret of each may have 1 MiB. */
  readonly concurrency: number;
  /** Of this process alone, such as the name of its pod. */
  readonly identity: string;
}

export class Controller {
  readonly #objects: Objects;
  readonly #concurrency: number;
  readonly #queue: Queue;
  readonly #reconciler: Reconciler;
  readonly #leadership = new Leadership();
  readonly #pods: Pods;
  readonly #injected: { readonly pods: InjectedPods; readonly rounds: InjectionRounds } | undefined;
  readonly #fleet: Fleet | undefined;
  readonly #downloads: Downloads | undefined;
  /** Of what is about to be stored. */
  readonly reviewer: Reviewer;

  constructor(options: ControllerOptions) {
    this.#concurrency = options.concurrency;
    const { clock, observe, random, refreshesPods, asksFleet } = options;
    const leadership = this.#leadership;
    const changed = (key: ResourceKey) => this.#queue.add(key);
    this.#objects = new Objects({ ...options, changed });
    this.#pods = new Pods({ ...options, leadership });
    const isBehind = () => !this.#objects.isSynced || !this.#queue.isIdle;
    const recorder = new EventRecorder({ ...options, leadership });
    this.#fleet = asksFleet ? new Fleet({ ...options, leadership, recorder, isBehind, changed }) : undefined;
    const lookup = this.#objects;
    this.#downloads =
      options.downloads && new Downloads({ ...options, ...options.downloads, leadership, lookup, changed });
    this.#reconciler = new Reconciler({
      ...options,
      leadership,
      lookup,
      ...(refreshesPods && { pods: this.#pods }),
      ...(this.#fleet && { fleet: this.#fleet }),
      downloads: this.#downloads,
    });
    this.reviewer = new Reviewer({
      ...options,
      lookup: this.#objects,
      statusOf: (key) => this.#reconciler.statusOf(key),
    });
    this.#injected = injectedOf(options, leadership, this.#objects, this.#pods);
    this.#queue = new Queue({
      clock,
      random,
      reconcile: (key, signal) => this.#reconciler.reconcile(key, signal),
      failed: ({ object }, error) => {
        if (error instanceof PaycertError)
          observe({ type: 'reconciled', object, outcome: 'failed', error, seconds: 0 });
        else observe({ type: 'internal-error', where: 'operator', error });
      },
    });
  }

  /** Watches and reconciles until abort. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#objects.run(signal),
      this.#injected?.pods.run(signal),
      this.#queue.run(this.#concurrency, signal),
    ]);
    await Promise.all([this.#pods.stop(), this.#downloads?.stop()]);
  }

  /** A task for the time in which this replica is the one that writes. */
  async lead(signal: AbortSignal): Promise<void> {
    const fleet = this.#fleet;
    await Promise.all([
      // First: what is reconciled for the new leader is looked up there.
      fleet?.lead(signal),
      this.#downloads?.lead(signal),
      this.#leadership.lead(() => this.#objects.addAll(), signal),
      this.#injected?.rounds.run(signal),
    ]);
  }

  /** Why this replica would not notice a change; undefined when it would. */
  get impediment(): string | undefined {
    const { trouble, isSynced } = this.#objects;
    return trouble?.message ?? (isSynced ? undefined : 'not everything has been listed yet');
  }

  get queueLength(): number {
    return this.#queue.size;
  }

  statuses(): Iterable<{ readonly resource: PaymentCredential; readonly status: Status }> {
    return this.#reconciler.statuses();
  }

  /** Of each status that could not be written, the code of the error. */
  writeFailures(): Iterable<ErrorCode> {
    return this.#reconciler.writeFailures();
  }

  /** By namespace, how many Pods have an audit whose end was cut off; none while this replica does not lead. */
  auditsCut(): ReadonlyMap<string, number> {
    return this.#fleet?.auditsCut() ?? new Map();
  }

  /** Of Pods that ask for a sidecar, how many have one; undefined while nobody looks. */
  injection(): Readonly<Record<string, number>> | undefined {
    return this.#injected?.pods.counts();
  }
}

function injectedOf(options: ControllerOptions, leadership: Leadership, lookup: Objects, touches: Pods) {
  const { injection } = options;
  if (injection === undefined) return undefined;
  const pods = new InjectedPods(options);
  const recorder = new EventRecorder({ ...options, leadership });
  const events = new OwnerEvents({ client: options.client, recorder });
  const activations = new ActivationWriter({ ...options, leadership, lookup, touches });
  const rounds = new InjectionRounds({ ...options, ...injection, leadership, pods, events, activations });
  return { pods, rounds };
}
