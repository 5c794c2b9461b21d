// Reviews what is about to be stored, of each namespace two at a time, from what is cached: no call to the API server, and nothing is changed.
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import { PaycertError } from '../../errors.ts';
import type { Observe } from '../../events.ts';
import { Limiter } from '../../store/limiter.ts';
import type { Objects } from '../objects.ts';
import type { Status } from '../resource.ts';
import type { ResourceKey } from '../resource-key.ts';
import { inject, type InjectionOptions } from '../injection/inject.ts';
import { reviewResource } from './resource-review.ts';
import { type Decision, readReview, respond, type ReviewRequest } from './review.ts';
import { reviewSecret } from './secret-review.ts';

export interface ReviewerOptions {
  readonly lookup: Pick<Objects, 'isSynced' | 'find' | 'findLabelled' | 'resourcesOf' | 'secret' | 'secretState'>;
  readonly statusOf: (key: ResourceKey) => Status | undefined;
  readonly secretOptIn: boolean;
  /** Of sidecars into Pods; without it there is none. */
  readonly injection?: Omit<InjectionOptions, 'lookup'> | undefined;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** Of a namespace: while one waits for its signature, or for a key that another thread derives, the next one has the event loop. */
const atOnce = 2;

interface Turns {
  readonly limiter: Limiter;
  users: number;
}

export class Reviewer {
  readonly #options: ReviewerOptions;
  /** By namespace: what one tenant has reviewed holds up no other. */
  readonly #turns = new Map<string, Turns>();

  constructor(options: ReviewerOptions) {
    this.#options = options;
  }

  /**
   * The response to the body of a request.
   * @throws PaycertError `review-malformed`, `review-unready`
   */
  async review(body: unknown, signal: AbortSignal): Promise<object> {
    const { lookup, observe, clock } = this.#options;
    const started = clock.now();
    const request = readReview(body);
    const { kind, namespace, object, dryRun = false, userInfo: { username: user } = {} } = request;
    const { name, generateName = '' } = object.metadata;
    const what = {
      kind: kind.kind,
      object: `${namespace}/${name ?? `${generateName}*`}`,
      isDryRun: dryRun,
      ...(user !== undefined && { user }),
    };
    const seconds = () => (clock.now().getTime() - started.getTime()) / 1000;
    try {
      // What is not known yet would be let through as if nobody named it.
      if (!lookup.isSynced) throw new PaycertError('review-unready', 'not everything has been listed yet');
      const decision = await this.#inTurn(namespace, () => this.#decide(request, signal));
      const [refusal] = decision.refusals;
      observe({
        type: 'reviewed',
        ...what,
        outcome: decision.outcome,
        ...(decision.injected && { injected: decision.injected }),
        ...(refusal && { error: refusal }),
        seconds: seconds(),
      });
      return respond(request, decision);
    } catch (error) {
      observe({
        type: 'reviewed',
        ...what,
        outcome: 'failed',
        ...(error instanceof PaycertError && { error }),
        seconds: seconds(),
      });
      throw error;
    }
  }

  async #decide(request: ReviewRequest, signal: AbortSignal): Promise<Decision> {
    await pauseOf(signal);
    const { kind } = request.kind;
    if (kind === 'Pod') return this.#injected(request);
    if (kind === 'PaymentCredential') return reviewResource(request, this.#options);
    return reviewSecret(request, { ...this.#options, pause: () => pauseOf(signal) });
  }

  #injected(request: ReviewRequest): Decision {
    const { injection, lookup } = this.#options;
    if (injection === undefined || request.operation !== 'CREATE')
      throw new PaycertError('review-malformed', 'nothing is injected here', { field: 'request.kind' });
    try {
      const { patch, warnings, credentials } = inject(request, { ...injection, lookup });
      if (credentials.length === 0) return { outcome: 'allowed', refusals: [], warnings, audit: {}, patch };
      const audit = { injected: credentials.join(' ') };
      return { outcome: 'allowed', refusals: [], warnings, audit, patch, injected: credentials };
    } catch (error) {
      if (!(error instanceof PaycertError) || error.code === 'review-malformed') throw error;
      return { outcome: 'refused', refusals: [error, ...error.others], warnings: [], audit: {} };
    }
  }

  async #inTurn<T>(namespace: string, work: () => Promise<T>): Promise<T> {
    const turns = this.#turns.get(namespace) ?? { limiter: new Limiter(atOnce), users: 0 };
    this.#turns.set(namespace, turns);
    turns.users += 1;
    try {
      return await turns.limiter.run({}, work);
    } finally {
      turns.users -= 1;
      if (turns.users === 0) this.#turns.delete(namespace);
    }
  }
}

/** The event loop serves everybody else meanwhile. Nobody waits for a review whose caller has gone. */
async function pauseOf(signal: AbortSignal): Promise<void> {
  await setImmediate();
  if (signal.aborted) throw new PaycertError('caller-gone', 'the API server does not wait for the review any more');
}
