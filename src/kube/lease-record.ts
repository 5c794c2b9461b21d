// One Lease, read and written: taken when it is free or its holder is silent, renewed, given up.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { KubeClient } from './client.ts';
import type { KubeObject, Namespace, Resource } from './resources.ts';

export interface RecordOptions {
  readonly client: () => Promise<Pick<KubeClient, 'get' | 'create' | 'replace'>>;
  readonly namespace: Namespace;
  readonly name: string;
  /** Of this process alone, such as the name of its pod. */
  readonly identity: string;
  readonly clock: Clock;
  readonly timing?: Timing;
}

export interface Timing {
  /** After so long without a renewal others take the Lease. */
  readonly leaseMilliseconds: number;
  /** A leader leads for so long without a renewal: less, since its timer began earlier. */
  readonly renewalMilliseconds: number;
  /** Between two renewals, and between two looks of those who wait. */
  readonly retryMilliseconds: number;
}

const leases: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

/** As client-go's. */
export const defaultTiming: Timing = {
  leaseMilliseconds: 15_000,
  renewalMilliseconds: 10_000,
  retryMilliseconds: 2000,
};

interface Spec {
  readonly holderIdentity?: string | null;
  readonly leaseDurationSeconds?: number | null;
  readonly leaseTransitions?: number | null;
}

export class LeaseRecord {
  readonly #options: RecordOptions;
  readonly #target: { readonly resource: Resource; readonly namespace: Namespace; readonly name: string };
  /** What was written last, if that is known to stand. */
  #ours: KubeObject | undefined;
  /** The version seen last, and since when by our own timers: no clock of another machine is compared. */
  #seen: string | undefined;
  #unchangedMilliseconds = 0;
  readonly #durationSeconds: number;

  constructor(options: RecordOptions) {
    this.#options = options;
    this.#durationSeconds = (options.timing ?? defaultTiming).leaseMilliseconds / 1000;
    this.#target = { resource: leases, namespace: options.namespace, name: options.name };
  }

  /** That much time has passed since the last look. */
  wait(milliseconds: number): void {
    this.#unchangedMilliseconds += milliseconds;
  }

  /** Whether it is ours now. @throws PaycertError `object-conflict` when another was faster */
  async take(signal: AbortSignal): Promise<boolean> {
    const { client, identity, name } = this.#options;
    const lease = await this.#get(signal);
    if (lease === undefined) {
      const fresh = { metadata: { name }, spec: this.#specOfOurs({ acquireTime: this.#now() }) };
      this.#ours = await (await client()).create(this.#target, fresh, signal);
      return true;
    }
    const { resourceVersion } = lease.metadata;
    if (this.#seen !== resourceVersion) [this.#seen, this.#unchangedMilliseconds] = [resourceVersion, 0];
    const { holderIdentity, leaseDurationSeconds, leaseTransitions } = specOf(lease);
    const isFree = (holderIdentity ?? '') === '' || holderIdentity === identity;
    const isSilent = this.#unchangedMilliseconds >= (leaseDurationSeconds ?? this.#durationSeconds) * 1000;
    if (!isFree && !isSilent) return false;
    const taken = { acquireTime: this.#now(), leaseTransitions: (leaseTransitions ?? 0) + 1 };
    await this.#write(lease, this.#specOfOurs({ ...specOf(lease), ...taken }), signal);
    return true;
  }

  /** False when it is somebody else's by now. */
  async renew(signal: AbortSignal): Promise<boolean> {
    // After a write that failed it is read again: it may have arrived, or somebody has set an annotation.
    const lease = this.#ours ?? (await this.#get(signal));
    this.#ours = undefined;
    if (lease === undefined || specOf(lease).holderIdentity !== this.#options.identity) return false;
    await this.#write(lease, this.#specOfOurs(specOf(lease)), signal);
    return true;
  }

  /** So that the next need not wait. */
  async release(signal: AbortSignal): Promise<void> {
    const lease = await this.#get(signal);
    if (lease === undefined || specOf(lease).holderIdentity !== this.#options.identity) return;
    await this.#write(lease, { ...specOf(lease), holderIdentity: '', leaseDurationSeconds: 1 }, signal);
  }

  async #get(signal: AbortSignal): Promise<KubeObject | undefined> {
    try {
      return await (await this.#options.client()).get(this.#target, signal);
    } catch (error) {
      if (error instanceof PaycertError && error.code === 'object-missing') return undefined;
      throw error;
    }
  }

  async #write(lease: KubeObject, spec: Spec, signal: AbortSignal): Promise<void> {
    this.#ours = await (await this.#options.client()).replace(this.#target, { ...lease, spec }, signal);
  }

  #specOfOurs(spec: Spec & { readonly acquireTime?: string }): Spec {
    const { identity } = this.#options;
    const ours = { holderIdentity: identity, leaseDurationSeconds: this.#durationSeconds, renewTime: this.#now() };
    return { ...spec, ...ours };
  }

  /** A MicroTime, which has exactly six digits of a second. */
  #now(): string {
    return this.#options.clock.now().toISOString().replace('Z', '000Z');
  }
}

const specOf = (lease: KubeObject): Spec => lease['spec'] ?? {};
