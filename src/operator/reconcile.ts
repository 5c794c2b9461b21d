// Writes the observed state of one resource into its status. Level-based: it reads what is, never what happened.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../clock.ts';
import type { ErrorCode } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNewer } from '../kube/versions.ts';
import { labelledChange } from './admission/account.ts';
import { Evaluator, type EvaluatorOptions } from './evaluator.ts';
import type { Downloads } from './certificates/downloads.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { Leadership } from './leadership.ts';
import type { Pods } from './pods.ts';
import { EventRecorder } from './event-recorder.ts';
import { isBad, type PaymentCredential, type Status } from './resource.ts';
import type { ResourceKey } from './resource-key.ts';
import { changesAt } from '../sources/activation.ts';
import { StatusWriter } from './status-writer.ts';
import { replacementOf } from './status/age.ts';
import type { Evaluation } from './status/conditions.ts';
import { earliest, type SecretEvaluation } from './status/evaluate.ts';
import { isReported, noticesOf, reportedConditions } from './status/events.ts';
import { soonestExpiry } from './status/expiry.ts';
import { trialOf } from './status/staged.ts';
import { statusOf } from './status/status.ts';

export interface ReconcilerOptions extends EvaluatorOptions {
  readonly client: () => Promise<Pick<KubeClient, 'get' | 'change' | 'create'>>;
  readonly leadership: Leadership;
  /** Absent where they are not to be touched. */
  readonly pods?: Pick<Pods, 'refresh'>;
  /** Absent where no platform certificates are to be downloaded. */
  readonly downloads?: Pick<Downloads, 'look' | 'forget'> | undefined;
  /** Absent where sidecars are not to be asked. */
  readonly fleet?: Pick<Fleet, 'look' | 'forget'>;
  readonly identity: string;
  readonly clock: Clock;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly observe: Observe;
}

/** A thousand certificates that expire together are no reason for a thousand requests at once. */
const jitterMilliseconds = 60_000;
/** Pause before a Secret that may not be read is tried again. */
const retryMilliseconds = 20_000;

/** What stays so until somebody writes the Secret, of which a watch tells. */
const settled: ReadonlySet<string> = new Set(['object-missing', 'not-checked-here']);

/** Each list reports its keys again; this is for a list that fails, whose error is known by then. */
const pendingMilliseconds = 5000;

/** What a status remembers of a Secret. */
interface Seen {
  readonly secretResourceVersion?: string;
  readonly snapshotId?: string;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #evaluator: Evaluator;
  readonly #recorder: EventRecorder;
  readonly #writer: StatusWriter;
  /** The last status: all that is known of labelled Secrets, and the source of metrics. */
  readonly #statuses = new Map<string, { readonly resource: PaymentCredential; readonly status: Status }>();
  /** The object as our own write left it, until the watch reports it. */
  readonly #written = new Map<string, PaymentCredential>();
  /** The status reported in Events, for labelled Secrets. */
  readonly #reported = new Map<string, Status>();

  /** Of the Secret's data, as it was seen last: a change of its labels is no reason to touch Pods. */
  readonly #revisions = new Map<string, string>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#evaluator = new Evaluator(options);
    this.#recorder = new EventRecorder(options);
    this.#writer = new StatusWriter(options);
  }

  statuses(): Iterable<{ readonly resource: PaymentCredential; readonly status: Status }> {
    return this.#statuses.values();
  }

  /** As it was computed last, whether or not this replica writes it. */
  statusOf(key: ResourceKey): Status | undefined {
    return this.#statuses.get(key.toString())?.status;
  }

  /** Of each status that could not be written, the code of the error. */
  writeFailures(): Iterable<ErrorCode> {
    return this.#writer.failures();
  }

  /** The result: after how many milliseconds to do so again. @throws PaycertError of kind source */
  async reconcile(key: ResourceKey, signal: AbortSignal): Promise<number | undefined> {
    const { clock, pods } = this.#options;
    const id = key.toString();
    const resource = this.#latest(key);
    if (resource === undefined) {
      for (const known of [this.#statuses, this.#written, this.#reported]) known.delete(id);
      for (const set of ['', ' next', ' current']) this.#revisions.delete(`${id}${set}`);
      this.#evaluator.forget(key);
      this.#options.fleet?.forget(key);
      this.#options.downloads?.forget(key);
      this.#writer.forget(id);
      return undefined;
    }
    const started = clock.now();
    const evaluation = await this.#evaluator.evaluate(key, resource, signal);
    if (evaluation === undefined) return pendingMilliseconds;
    const now = clock.now();
    const { downloads } = this.#options;
    const seen = {
      fleet: this.#lookAtFleet(key, evaluation),
      moved: this.#movedOf(id, resource),
      certificates: downloads ? downloads.look(key, evaluation) : ('off' as const),
    };
    const status = statusOf(resource, { ...evaluation, ...seen }, now);
    const { spec } = evaluation;
    const hasChanged = this.#dataHasChanged(id, resource, evaluation);
    if (hasChanged && spec?.refreshPods === true) pods?.refresh(key);
    this.#statuses.set(id, { resource, status });
    const outcome = await this.#write(id, resource, status, signal);
    const { object } = key;
    const seconds = (clock.now().getTime() - started.getTime()) / 1000;
    this.#options.observe({ type: 'reconciled', object, outcome, seconds });
    return this.#untilNext(status, evaluation, now);
  }

  #latest(key: ResourceKey): PaymentCredential | undefined {
    const id = key.toString();
    const cached = this.#options.lookup.find(key);
    if (cached?.kind === 'Secret') {
      const known = this.#statuses.get(id);
      // Another Secret of that name has no history.
      return known?.resource.uid === cached.uid ? { ...cached, status: known.status } : cached;
    }
    const written = this.#written.get(id);
    if (cached && written?.uid === cached.uid && isNewer(written.resourceVersion, cached.resourceVersion))
      return written;
    this.#written.delete(id);
    return cached;
  }

  /** Of a resource the API server lets nobody change that. */
  #movedOf(id: string, { kind, uid, spec }: PaymentCredential): Evaluation['moved'] {
    const before = this.#statuses.get(id)?.resource;
    return kind === 'Secret' && before?.uid === uid ? labelledChange([spec, before.spec])[0] : undefined;
  }

  #lookAtFleet(key: ResourceKey, { secret, ...evaluation }: Evaluation): Evaluation['fleet'] {
    const { fleet } = this.#options;
    if (fleet === undefined || key.kind === 'Secret') return undefined;
    if (secret) {
      const { secretResourceVersion: version, snapshotId } = secret;
      const trial = trialOf(evaluation);
      return fleet.look(key, { version, snapshotId, ...(trial !== undefined && { trial }) }) ?? 'standby';
    }
    fleet.forget(key);
    return 'standby';
  }

  /** Of one Secret, or of either of two. */
  #dataHasChanged(id: string, { status }: PaymentCredential, { secret, staged }: Evaluation): boolean {
    const { rejected, deferred, accepted, staged: beside } = status ?? {};
    return [
      this.#hasChanged(id, secret, rejected ?? deferred ?? accepted),
      this.#hasChanged(`${id} ${staged?.set ?? ''}`, staged?.evaluation, beside),
    ].includes(true);
  }

  #hasChanged(id: string, now: SecretEvaluation | undefined, seen: Seen | undefined): boolean {
    if (now === undefined) return false;
    const before = this.#revisions.get(id);
    this.#revisions.set(id, now.revision);
    if (before !== undefined) return before !== now.revision;
    // Seen for the first time by this process: the status remembers the version, and the keys where they could be read.
    if (seen === undefined || seen.secretResourceVersion === now.secretResourceVersion) return false;
    return seen.snapshotId !== now.snapshotId;
  }

  async #write(
    id: string,
    resource: PaymentCredential,
    status: Status,
    signal: AbortSignal,
  ): Promise<'unchanged' | 'written' | 'standby'> {
    const { leadership } = this.#options;
    if (resource.kind === 'Secret') {
      if (!leadership.isLeading) return 'standby';
      const before = this.#reported.get(id);
      this.#reported.set(id, status);
      const isNews = !isDeepStrictEqual(before, status);
      if (isNews) await this.#report(resource, before, status, signal);
      return isNews ? 'written' : 'unchanged';
    }
    return this.#writer.write(id, resource, status, async (written) => {
      this.#written.set(id, written.resource);
      await this.#report(resource, resource.status, written.status, signal);
    });
  }

  async #report(
    resource: PaymentCredential,
    before: Status | undefined,
    after: Status,
    signal: AbortSignal,
  ): Promise<void> {
    const { observe } = this.#options;
    const object = `${resource.namespace}/${resource.name}`;
    for (const condition of reportedConditions(after)) {
      if (isReported(resource.kind, before, condition)) continue;
      const { type, status, reason, message } = condition;
      observe({
        type: 'condition-changed',
        object,
        condition: type,
        status,
        reason,
        message,
        isBad: isBad(condition, after),
      });
    }
    const notices = noticesOf(resource.kind, before, after);
    const wanted = resource.kind === 'Secret' ? notices.filter(({ type }) => type === 'Warning') : notices;
    for (const notice of wanted) await this.#recorder.record(resource, notice, signal);
  }

  #untilNext({ keys = [] }: Status, { secret, staged, error }: Evaluation, now: Date): number | undefined {
    const { random } = this.#options;
    if (error && error.kind !== 'config' && !settled.has(error.code)) return retryMilliseconds * (0.5 + random() / 2);
    const { warnAt, at } = soonestExpiry(keys) ?? {};
    const activated = staged && changesAt(staged.activation, now);
    const next = earliest(
      [secret?.until, staged?.evaluation?.until, activated, warnAt, at, ...keys.map(replacementOf)],
      now,
    );
    return next && next.getTime() - now.getTime() + random() * jitterMilliseconds;
  }
}
