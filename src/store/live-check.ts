// What comes of asking a platform about a new key: it becomes current, is rejected, or waits, and for how long at most.
import type { PaycertError } from '../errors.ts';
import type { SigningContext } from '../providers/provider.ts';
import type { Refusal } from './checks.ts';
import { type Snapshot, snapshotId } from './snapshot.ts';

/** `none`: nobody knows, such as without a network. */
export type LiveVerdict =
  { readonly verdict: 'accepted' } | { readonly verdict: 'refused' | 'none'; readonly error: PaycertError };

/** Asks its platform about the key that signs in that set. */
export type AskPlatform = (context: SigningContext, signal: AbortSignal) => Promise<LiveVerdict>;

export interface LiveCheckOptions {
  readonly ask: AskPlatform;
  /** How long a new key waits for a verdict. */
  readonly withinMilliseconds: number;
  /** What becomes of it then. */
  readonly otherwise: 'accept' | 'reject';
}

export interface Checked {
  readonly verdict: LiveVerdict['verdict'];
  readonly refusal: Refusal | undefined;
}

/** Of one credential. */
export class LiveCheck {
  readonly #options: LiveCheckOptions;
  /** The set that waits, and until when. */
  #waiting: { readonly id: string; readonly until: Date } | undefined;

  constructor(options: LiveCheckOptions) {
    this.#options = options;
  }

  /**
   * Undefined where there is nothing to ask: the key signs already, or nothing does. Payments wait for no platform.
   * Never decides on a rejection by itself: a console may follow the Secret, so that it is asked again.
   */
  async check(
    { context, previous }: { readonly context: SigningContext; readonly previous: Snapshot | undefined },
    { now, signal }: { readonly now: () => Date; readonly signal: AbortSignal },
  ): Promise<Checked | undefined> {
    const { signer } = context.set;
    const current = previous?.context.set;
    if (current?.capabilities(now()).has('sign') !== true || signer === undefined) return undefined;
    if (signer.facts.fingerprint === current.signer?.facts.fingerprint) return undefined;
    const answer = await this.#options.ask(context, signal);
    const { verdict } = answer;
    if (answer.verdict !== 'none') this.#waiting = undefined;
    if (answer.verdict === 'accepted') return { verdict, refusal: undefined };
    const { error } = answer;
    if (answer.verdict === 'refused') return { verdict, refusal: { outcome: 'rejected', error } };
    return { verdict, refusal: this.#wait(snapshotId(context.set), error, now()) };
  }

  #wait(id: string, error: PaycertError, now: Date): Refusal | undefined {
    const { withinMilliseconds, otherwise } = this.#options;
    if (this.#waiting?.id !== id) this.#waiting = { id, until: new Date(now.getTime() + withinMilliseconds) };
    const { until } = this.#waiting;
    if (now < until) return { outcome: 'deferred', error, until, asksAgain: true };
    return otherwise === 'accept' ? undefined : { outcome: 'rejected', error };
  }
}
