// The operator's parts together: watches fill a queue, the queue reconciles one key at a time, and the leader writes.
import { type ErrorCode, PaycertError } from '../errors.ts';
import type { KubeClient } from '../kube/client.ts';
import { Reviewer } from './admission/reviewer.ts';
import { Leadership } from './leadership.ts';
import { Objects, type ObjectsOptions } from './objects.ts';
import { Pods } from './pods.ts';
import { Queue } from './queue.ts';
import { Reconciler } from './reconcile.ts';
import type { PaymentCredential, Status } from './resource.ts';

export interface ControllerOptions extends Omit<ObjectsOptions, 'client' | 'changed'> {
  readonly client: () => Promise<KubeClient>;
  readonly refreshesPods: boolean;
  readonly secretOptIn: boolean;
  /** Whether writes of labelled Secrets are reviewed before they are stored. */
  readonly reviews: boolean;
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
  /** Of what is about to be stored. */
  readonly reviewer: Reviewer;

  constructor(options: ControllerOptions) {
    this.#concurrency = options.concurrency;
    const { clock, observe, random, refreshesPods } = options;
    const leadership = this.#leadership;
    this.#objects = new Objects({ ...options, changed: (key) => this.#queue.add(key) });
    this.#pods = new Pods({ ...options, leadership });
    this.#reconciler = new Reconciler({
      ...options,
      leadership,
      lookup: this.#objects,
      ...(refreshesPods && { pods: this.#pods }),
    });
    this.reviewer = new Reviewer({
      ...options,
      lookup: this.#objects,
      statusOf: (key) => this.#reconciler.statusOf(key),
    });
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
    await Promise.all([this.#objects.run(signal), this.#queue.run(this.#concurrency, signal)]);
    await this.#pods.stop();
  }

  /** A task for the time in which this replica is the one that writes. */
  async lead(signal: AbortSignal): Promise<void> {
    await this.#leadership.lead(() => this.#objects.addAll(), signal);
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
}
