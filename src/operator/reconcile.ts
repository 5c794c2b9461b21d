// Makes the status of one resource say what is so. Level-based: it asks what is, never what happened.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../clock.ts';
import { paymentCredentials } from '../config/resource.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { KubeClient } from '../kube/client.ts';
import { replacementOf } from './age.ts';
import { announce, isSaid, noticesOf } from './announce.ts';
import { earliest } from './assess.ts';
import { soonestExpiry } from './expiry.ts';
import { Finder, type FinderOptions } from './find.ts';
import type { Leadership } from './leadership.ts';
import { isBad, type PaymentCredential, readResource, type Status } from './resource.ts';
import { type Findings, judge } from './status.ts';

export interface ReconcilerOptions extends FinderOptions {
  readonly client: () => Promise<Pick<KubeClient, 'get' | 'apply' | 'create'>>;
  /** As it is cached; undefined when there is none, or when a resource speaks for the Secret. */
  readonly current: (key: string) => PaymentCredential | undefined;
  readonly leadership: Leadership;
  /** The Secret that it names is another than the one its status speaks of. */
  readonly secretChanged: (resource: PaymentCredential, findings: Findings) => void;
  readonly identity: string;
  readonly clock: Clock;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly observe: Observe;
}

const fieldManager = 'paycert-operator';

/** A thousand certificates that expire together are no reason for a thousand requests at once. */
const jitterMilliseconds = 60_000;
/** What may not be read is asked for again. */
const retryMilliseconds = 20_000;

/** Whatever is listed is a reason to look; this is for what never will be, which says why by then. */
const pendingMilliseconds = 5000;

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #finder: Finder;
  /** What was found last: all that is known of labelled Secrets, and what metrics are made of. */
  readonly #statuses = new Map<string, { readonly resource: PaymentCredential; readonly status: Status }>();
  /** What our own write made of an object, until the watch tells of it. */
  readonly #written = new Map<string, PaymentCredential>();
  /** The status that Events have told of, for labelled Secrets. */
  readonly #announced = new Map<string, Status>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#finder = new Finder(options);
  }

  statuses(): Iterable<{ readonly resource: PaymentCredential; readonly status: Status }> {
    return this.#statuses.values();
  }

  knows(key: string): boolean {
    return this.#statuses.has(key);
  }

  /** Looks at one, and says after how many milliseconds to look again. @throws PaycertError of kind source */
  async look(key: string, signal: AbortSignal): Promise<number | undefined> {
    const { clock, secretChanged } = this.#options;
    const resource = this.#latest(key);
    if (resource === undefined) {
      for (const known of [this.#statuses, this.#written, this.#announced]) known.delete(key);
      this.#finder.forget(key);
      return undefined;
    }
    const started = clock.now();
    const findings = await this.#finder.find(key, resource, signal);
    if (findings === undefined) return pendingMilliseconds;
    const now = clock.now();
    const status = judge(resource, findings, now);
    const seen = resource.status && (resource.status.rejected ?? resource.status.accepted)?.secretResourceVersion;
    if (findings.verdict && seen !== undefined && seen !== findings.verdict.secretResourceVersion)
      secretChanged(resource, findings);
    this.#statuses.set(key, { resource, status });
    const outcome = await this.#write(key, resource, status);
    const object = `${resource.namespace}/${resource.name}`;
    const seconds = (clock.now().getTime() - started.getTime()) / 1000;
    this.#options.observe({ type: 'reconciled', object, outcome, seconds });
    return this.#untilNext(status, findings, now);
  }

  #latest(key: string): PaymentCredential | undefined {
    const cached = this.#options.current(key);
    if (cached?.kind === 'Secret') {
      const known = this.#statuses.get(key);
      // Another Secret of that name begins anew.
      return known?.resource.uid === cached.uid ? { ...cached, status: known.status } : cached;
    }
    const written = this.#written.get(key);
    if (cached && written?.uid === cached.uid && isNewer(written, cached)) return written;
    this.#written.delete(key);
    return cached;
  }

  async #write(key: string, resource: PaymentCredential, status: Status): Promise<'unchanged' | 'written' | 'standby'> {
    const { leadership } = this.#options;
    if (resource.kind === 'Secret') {
      if (!leadership.isLeading) return 'standby';
      const before = this.#announced.get(key);
      this.#announced.set(key, status);
      const isNews = !isDeepStrictEqual(before, status);
      if (isNews) await this.#tell(resource, before, status, (type) => type === 'Warning');
      return isNews ? 'written' : 'unchanged';
    }
    if (isDeepStrictEqual(status, resource.status)) return 'unchanged';
    const { namespace, name, uid } = resource;
    const target = { resource: paymentCredentials, namespace, name, subresource: 'status' };
    // With the uid, so that a resource that was made anew is not told what the old one was.
    const body = { apiVersion: 'paycert.dev/v1alpha1', kind: 'PaymentCredential', metadata: { name, namespace, uid }, status }; // prettier-ignore
    const applied = await leadership.write(async (signal) =>
      (await this.#options.client()).apply(target, body, fieldManager, signal).catch(ignoreGone),
    );
    if (applied === undefined) return 'standby';
    if (applied === 'gone') return 'unchanged';
    this.#written.set(key, readResource(applied));
    await this.#tell(resource, resource.status, status, () => true);
    return 'written';
  }

  async #tell(
    resource: PaymentCredential,
    before: Status | undefined,
    after: Status,
    isWanted: (type: 'Normal' | 'Warning') => boolean,
  ): Promise<void> {
    const { observe, leadership } = this.#options;
    const object = `${resource.namespace}/${resource.name}`;
    for (const condition of after.conditions) {
      if (isSaid(resource.kind, before, condition)) continue;
      const { type, status, reason, message } = condition;
      observe({
        type: 'condition-changed',
        object,
        condition: type,
        status,
        reason,
        message,
        isBad: isBad(type, status),
      });
    }
    for (const notice of noticesOf(resource.kind, before, after).filter(({ type }) => isWanted(type))) {
      try {
        await leadership.write((signal) => announce(resource, notice, this.#options, signal));
      } catch (error) {
        // The status says it too, and stays.
        if (!(error instanceof PaycertError)) throw error;
        observe({ type: 'event-lost', object, error });
      }
    }
  }

  #untilNext({ keys = [] }: Status, { verdict, error }: Findings, now: Date): number | undefined {
    const { random } = this.#options;
    if (error && error.kind !== 'config' && error.code !== 'object-missing')
      return retryMilliseconds * (0.5 + random() / 2);
    const { warnAt, at } = soonestExpiry(keys) ?? {};
    const next = earliest([verdict?.until, warnAt, at, ...keys.map(replacementOf)], now);
    return next && next.getTime() - now.getTime() + random() * jitterMilliseconds;
  }
}

/** Versions of one object are numbers that grow, which the API promises since 1.35, and etcd since ever. */
const isNewer = ({ resourceVersion: a }: PaymentCredential, { resourceVersion: b }: PaymentCredential): boolean =>
  a.length === b.length ? a > b : a.length > b.length;

/** It was deleted, or made anew, meanwhile: the watch tells. */
function ignoreGone(error: unknown): 'gone' {
  if (error instanceof PaycertError && ['object-missing', 'object-conflict'].includes(error.code)) return 'gone';
  throw error;
}
