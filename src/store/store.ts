// The current snapshot of every credential: the only mutable state on the signing path.
import { PaycertError } from '../errors.ts';
import type { CertificateListState, StagedState } from '../events.ts';
import type { Forwarding } from '../providers/forwarding.ts';
import type { Notifying } from '../providers/notifying.ts';
import type { Querying } from '../providers/querying.ts';
import type { Capability, KeyFacts } from '../providers/provider.ts';
import { type Age, agesOf, type MaxAge } from './age.ts';
import type { Copy } from '../sources/source.ts';
import { inUse } from './checks.ts';
import { lacking, type Snapshot } from './snapshot.ts';

/** What the configuration says of a credential, as far as its readiness goes. */
export interface CredentialPolicy {
  readonly provider: string;
  /** Whether the process is ready only with it. */
  readonly isRequired: boolean;
  /** What it must be able to do to be ready. */
  readonly requires: readonly Capability[];
  /** How old its keys may become; absent while nothing is known of it. */
  readonly maxAge?: MaxAge;
  /** Where its platform's gateway is, as origins of URLs. Absent while nothing is known of it. */
  readonly origins?: readonly string[];
  /** How a proxy forwards requests to it; absent where it does not. */
  readonly forwarding?: Forwarding | undefined;
  /** How its platform's notifications are taken; absent where it sends none. */
  readonly notifying?: Notifying | undefined;
  /** How its platform is asked what became of an order; absent where it has none. */
  readonly querying?: Querying | undefined;
  /** The PaymentCredential that it follows, and its namespace where that is not the process's own. */
  readonly follows?: { readonly name: string; readonly namespace?: string | undefined };
  /** Since when its PaymentCredential is suspended: there is nothing to load until it is not. */
  readonly suspendedSince?: Date | undefined;
}

/** One credential as it stands. Replaced, never changed, so that a reader sees one instant. */
export interface Entry extends CredentialPolicy {
  readonly name: string;
  readonly snapshot?: Snapshot;
  readonly lastReload?: {
    readonly at: Date;
    readonly outcome: 'swapped' | 'unchanged' | 'deferred' | 'rejected' | 'failed';
  };
  /** Why the newest material is not current; gone with the next swap or deferral. */
  readonly rejection?: { readonly at: Date; readonly error: PaycertError };
  /** The newest material is good and not valid yet: at `until` it becomes current by itself. */
  readonly deferral?: { readonly at: Date; readonly until: Date; readonly error: PaycertError };
  /** Why the origin cannot be read; gone with the next read. */
  readonly sourceError?: { readonly at: Date; readonly error: PaycertError };
  /** Why what its PaymentCredential says now does not count; what it said last does, until a restart. */
  readonly resourceError?: { readonly at: Date; readonly error: PaycertError } | undefined;
  /** The set beside the one that signs, of a staged source. */
  readonly staged?: StagedState;
  /** Of one whose platform certificates are downloaded, once they were asked for. */
  readonly certificateList?: CertificateListState;
  /** What is current was kept before a restart, and the newest material is not accepted; gone with the next swap. */
  readonly restored?: { readonly at: Date; readonly keptAt: Date };
  /** Whether what is current is kept for a restart, where it should be; `error`: why not. */
  readonly kept?: { readonly at: Date; readonly error?: PaycertError };
  /** Mounted paths that can never change. */
  readonly frozenPaths?: readonly string[];
  /** Copies of the keys in annotations of their Secrets. */
  readonly copies?: readonly Copy[];
  /** Private keys of the current set that stay elsewhere, by the part that names each. */
  readonly references?: readonly { readonly part: string; readonly reference: string }[] | undefined;
  /** The source that was read last, where better ones could not be. */
  readonly fallback?: string;
}

export class Store {
  readonly #entries = new Map<string, Entry>();

  /** Declares a credential, or its new policy; what it has loaded stays. */
  declare(name: string, policy: CredentialPolicy): void {
    this.#entries.set(name, { ...this.#entries.get(name), name, ...policy });
  }

  remove(name: string): void {
    this.#entries.delete(name);
  }

  /** The next state of one credential. One that was removed meanwhile stays removed: a late attempt has no effect. */
  update(name: string, change: (entry: Entry) => Entry): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined) this.#entries.set(name, change(entry));
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  /** @throws PaycertError `credential-unknown` */
  entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined)
      throw new PaycertError('credential-unknown', 'no credential has this name', { field: 'name' });
    return entry;
  }

  /**
   * The snapshot to use for one operation: take it once.
   * @throws PaycertError `credential-unknown`, `credential-not-loaded`
   */
  current(name: string): Snapshot {
    const { snapshot, suspendedSince } = this.entry(name);
    if (snapshot === undefined) {
      const why = suspendedSince ? 'this credential is suspended by its PaymentCredential' : 'this credential has no valid material yet'; // prettier-ignore
      throw new PaycertError('credential-not-loaded', why, { field: 'name' });
    }
    return snapshot;
  }
}

/** Why a credential has never been loaded, as far as it is known. */
export const reasonOfNoSnapshot = ({
  rejection,
  deferral,
  sourceError,
  resourceError,
}: Entry): PaycertError | undefined => (rejection ?? deferral ?? sourceError ?? resourceError)?.error;

/** Of each key that has an age, as far as this process knows it. Being too old makes nothing invalid. */
export function agesIn({ snapshot, maxAge }: Entry): ReadonlyMap<KeyFacts, Age> {
  if (snapshot === undefined || maxAge === undefined) return new Map();
  const { keys, createdAt } = snapshot.context.set;
  return agesOf(keys, { firstSeen: snapshot.firstSeen, createdAt: createdAt instanceof Date ? createdAt : undefined }, maxAge); // prettier-ignore
}

/** When material that is good becomes current by itself: it is not valid yet, or staged for that time. */
export const awaitedAt = ({ deferral, staged }: Pick<Entry, 'deferral' | 'staged'>): Date | undefined =>
  deferral?.until ?? (staged?.isActive === false ? staged.until : undefined);

/** Whether the current set can do what it must until what is awaited becomes current: then nobody has to act. */
export function isBridged(entry: Entry): boolean {
  const { snapshot, requires } = entry;
  const until = awaitedAt(entry);
  if (snapshot === undefined || until === undefined) return false;
  const lasts = inUse(snapshot.context.set).every(({ notAfter }) => notAfter === undefined || until <= notAfter);
  return lasts && lacking(snapshot, requires, new Date(until.getTime() - 1)).length === 0;
}

/** Loaded, and able to do at that time what it is required to do. Everything else about readiness follows from it. */
export function isReady(entry: Entry, now: Date): boolean {
  return entry.snapshot !== undefined && lacking(entry.snapshot, entry.requires, now).length === 0;
}
