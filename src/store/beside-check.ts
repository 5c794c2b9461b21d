// Asks a platform about the set that waits beside the one that signs: what it refuses is known before its time, and no call tries it.
import type { Clock } from '../clock.ts';
import type { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { SigningContext } from '../providers/provider.ts';
import type { LiveCheckOptions, LiveVerdict } from './live-check.ts';
import { snapshotId } from './snapshot.ts';
import type { Store } from './store.ts';

interface Looking {
  readonly store: Store;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** What is known of one set. */
interface Known {
  readonly id: string;
  /** When it was asked about first. */
  readonly since: Date;
  readonly answer: LiveVerdict;
  /** Undefined once it is accepted. */
  readonly askAgainAt: Date | undefined;
}

export interface Looked {
  /** Undefined where there is nothing to ask. */
  readonly askAgainAt?: Date | undefined;
  /** Whether calls may try it is not as the snapshot has it. */
  readonly hasChanged?: boolean;
}

/** A console may follow the Secret, and a network may come back; meanwhile nothing signs with it. */
const pauseMilliseconds = 5 * 60_000;

/** Of one credential. */
export class BesideCheck {
  readonly #options: LiveCheckOptions;
  #known: Known | undefined;

  constructor(options: LiveCheckOptions) {
    this.#options = options;
  }

  /** Asks where that is due, also at a start, since the other set signs. */
  async look(name: string, { store, clock, observe }: Looking, signal: AbortSignal): Promise<Looked> {
    const { snapshot, staged } = store.entry(name);
    const waiting = snapshot?.beside;
    const { signer } = waiting?.set ?? {};
    if (waiting === undefined || signer === undefined || staged === undefined || staged.isActive) return {};
    if (signer.facts.fingerprint === snapshot?.context.set.signer?.facts.fingerprint) return {};
    const known = this.#of(waiting);
    if (known && (known.askAgainAt === undefined || clock.now() < known.askAgainAt))
      return { askAgainAt: known.askAgainAt };
    const answer = await this.#options.ask(waiting, signal);
    // A later look is about what is there then.
    if (signal.aborted || !store.has(name) || store.entry(name).snapshot !== snapshot) return {};
    const now = clock.now();
    const askAgainAt = answer.verdict === 'accepted' ? undefined : new Date(now.getTime() + pauseMilliseconds);
    this.#known = { id: snapshotId(waiting.set), since: known?.since ?? now, answer, askAgainAt };
    observe({ type: 'live-checked', credential: name, verdict: answer.verdict });
    const before = known?.answer.verdict;
    if ((before === 'refused') !== (answer.verdict === 'refused')) {
      const { error: _, ...state } = staged;
      const refusal = this.refusalOf(waiting);
      const next = { ...state, ...(refusal && { error: refusal }) };
      store.update(name, (entry) => ({ ...entry, staged: next }));
      observe({ type: 'staged', credential: name, ...next });
    }
    const isShared = staged.of === 'requests' && (staged.percent ?? 0) > 0 && staged.isRejected !== true;
    return { askAgainAt, hasChanged: isShared && (staged.isPartial === true) !== this.mayBeTried(waiting, now) };
  }

  /** Why its platform refuses it, as far as that is known. */
  refusalOf(context: SigningContext): PaycertError | undefined {
    const answer = this.#of(context)?.answer;
    return answer?.verdict === 'refused' ? answer.error : undefined;
  }

  /** Whether calls may be signed with it: its platform takes it, or nobody has known for as long as is configured. */
  mayBeTried(context: SigningContext, now: Date): boolean {
    const { withinMilliseconds, otherwise } = this.#options;
    const known = this.#of(context);
    if (known?.answer.verdict !== 'none') return known?.answer.verdict === 'accepted';
    return otherwise === 'accept' && now.getTime() - known.since.getTime() >= withinMilliseconds;
  }

  #of({ set }: SigningContext): Known | undefined {
    return this.#known?.id === snapshotId(set) ? this.#known : undefined;
  }
}
