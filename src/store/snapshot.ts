// The frozen result of one load. Signs with one key; verifies and decrypts with current keys and those retired before them.
import { createHash } from 'node:crypto';
import type { Turn } from '../crypto/private-key.ts';
import { promised } from './call.ts';
import type { FairnessKey, Limiter } from './limiter.ts';
import { PaycertError } from '../errors.ts';
import type {
  AuthorizedRequest,
  Capability,
  Ciphertext,
  Decrypted,
  Earlier,
  Encrypted,
  KeySet,
  Moment,
  OpenedNotification,
  Operations,
  PaymentParametersInput,
  Received,
  ReceivedNotification,
  RequestToAuthorize,
  Signed,
  SigningContext,
  Verified,
} from '../providers/provider.ts';
import { VerifiedNotification } from '../providers/verified.ts';
import { type FirstSeen, noteSeen } from './age.ts';
import { type Sealed, type Unopened, Unopening } from './unopened.ts';

/** A context that an earlier swap replaced, and until when its keys still verify and decrypt. */
export interface Retired {
  readonly context: SigningContext;
  readonly snapshotId: string;
  readonly until: Date;
}

/** Who hears why something was refused. */
export interface Refusals {
  readonly unverified?: ((error: unknown) => void) | undefined;
  readonly unopened?: ((error: PaycertError) => void) | undefined;
}

/** However fast keys rotate, memory and the cost of an unknown key id stay bounded. */
const maxRetired = 16;

/** Equal in every process that loaded the same keys: a digest of roles, key ids and fingerprints, never of secrets. */
export const snapshotId = (set: KeySet): string => idOfKeys(set.keys);

/** The same, of the keys as a status lists them. */
export function idOfKeys(all: readonly { readonly [K in 'role' | 'keyId' | 'fingerprint']: string }[]): string {
  const keys = all.map(({ role, keyId, fingerprint }) => `${role} ${keyId} ${fingerprint}`).sort();
  return createHash('sha256').update(keys.join('\n')).digest('hex').slice(0, 16);
}

/** The same of what its owner wrote: what a platform lists differs from process to process for a while, and is not in the Secret. */
export const ownSnapshotId = (set: KeySet): string =>
  snapshotId({ ...set, keys: set.keys.filter(({ isDownloaded = false }) => !isDownloaded) });

const publicNames: Partial<Record<keyof Operations, string>> = {
  openNotification: 'notification',
  paymentParameters: 'payment-parameters',
};

export class Snapshot {
  readonly generation: number;
  readonly snapshotId: string;
  readonly context: SigningContext;
  readonly retired: readonly Retired[];
  /** The set that a staged source has beside this one: verifies and decrypts. */
  readonly beside: SigningContext | undefined;
  readonly loadedAt: Date;
  /** In this process. */
  readonly firstSeen: FirstSeen;
  /** The origin's version of the material, for people. */
  readonly version: string | undefined;
  readonly #limiter: Limiter;
  readonly #judge: ((isRefused: boolean) => void) | undefined;
  /** The set beside this one, where that signs a share of the calls. */
  readonly #tried: { readonly snapshot: Snapshot; readonly signs: (callId: string) => boolean } | undefined;
  readonly #unopening: Unopening;

  constructor(
    context: SigningContext,
    about: {
      generation: number;
      loadedAt: Date;
      version: string | undefined;
      retired: readonly Retired[];
      beside?: SigningContext | undefined;
      signs?: ((callId: string) => boolean) | undefined;
      judge?: ((isRefused: boolean) => void) | undefined;
      seenBefore?: FirstSeen | undefined;
      unopening?: Unopening;
    },
    limiter: Limiter,
  ) {
    this.generation = about.generation;
    this.snapshotId = snapshotId(context.set);
    this.context = context;
    // The same keys again are not retired: a snapshot that came back is current.
    this.retired = about.retired.filter((retired) => retired.snapshotId !== this.snapshotId).slice(0, maxRetired);
    this.beside = about.beside;
    const { beside, signs } = about;
    if (beside && signs) {
      const { unopening: _, ...same } = about;
      const snapshot = new Snapshot(beside, { ...same, beside: context, signs: undefined }, limiter);
      this.#tried = { snapshot, signs };
    }
    this.#judge = about.judge;
    this.loadedAt = about.loadedAt;
    this.firstSeen = noteSeen(about.seenBefore ?? new Map(), context.set.keys, about.loadedAt);
    this.version = about.version;
    this.#unopening = about.unopening ?? new Unopening();
    this.#limiter = limiter;
    Object.freeze(this);
  }

  /** The same generation, of material that has since changed in nothing that is used: what is said of its origin is of the newest. */
  renewed({ version }: { readonly version?: string }, { set: { ignored } }: SigningContext): Snapshot {
    const { generation, loadedAt, retired, beside, firstSeen: seenBefore } = this;
    const context = { ...this.context, set: { ...this.context.set, ...(ignored && { ignored }) } };
    const kept = { signs: this.#tried?.signs, judge: this.#judge, unopening: this.#unopening };
    return new Snapshot(
      context,
      { generation, loadedAt, version, retired, beside, seenBefore, ...kept },
      this.#limiter,
    );
  }

  /** What the next snapshot finds retired: all that signed by this one, and those before it whose grace has not ended. */
  retire(now: Date, graceMilliseconds: number): readonly Retired[] {
    const until = new Date(now.getTime() + graceMilliseconds);
    const signing = this.#tried ? [this, this.#tried.snapshot] : [this];
    const own = signing.map(({ context, snapshotId: id }) => ({ context, snapshotId: id, until }));
    return [...own, ...this.retired].filter((retired) => now < retired.until);
  }

  /** The one whose keys sign that call: this one, or the set beside it where a share of the calls tries that. */
  signingFor({ id }: { readonly id: string }): Snapshot {
    return this.#tried?.signs(id) === true ? this.#tried.snapshot : this;
  }

  /** What its platform said of a signature; of another key than the one that is tried it is no news. */
  judge(keyId: string, isRefused: boolean): void {
    const { context } = this.#tried?.snapshot ?? this;
    if (context.set.signer?.facts.keyId === keyId) this.#judge?.(isRefused);
  }

  /** Fair: a batch takes turns with single requests. */
  sign(message: Uint8Array, fairnessKey: FairnessKey = {}): Promise<Signed> {
    return promised(() => this.#operation('sign')(message, this.#turn(fairnessKey)));
  }

  /** Fair, as `sign`. */
  authorize(request: RequestToAuthorize, moment: Moment, fairnessKey: FairnessKey = {}): Promise<AuthorizedRequest> {
    return promised(() => this.#operation('authorize')(request, moment, this.#turn(fairnessKey)));
  }

  /** Fair, as `sign`. */
  async paymentParameters(
    input: PaymentParametersInput,
    moment: Moment,
    fairnessKey: FairnessKey = {},
  ): Promise<Readonly<Record<string, string>>> {
    return this.#operation('paymentParameters')(input, moment, this.#turn(fairnessKey));
  }

  /** For the key named, also one that a swap has just replaced: the fields of one request are encrypted one by one. */
  async encrypt(plaintext: Uint8Array, now: Date, keyId?: string): Promise<Encrypted> {
    const encrypt = this.#operation('encrypt');
    try {
      return await encrypt(plaintext, now, keyId);
    } catch (error) {
      if (!isKeyUnknown(error)) throw error;
      for (const { operations } of this.#othersAt(now)) {
        try {
          if (operations.encrypt) return await operations.encrypt(plaintext, now, keyId);
        } catch (again) {
          if (!isKeyUnknown(again)) throw again;
        }
      }
      throw error;
    }
  }

  /** Verifies with the key that the signature names, or with each where it names none, among all that are still valid. */
  verify(received: Received, now: Date): Promise<Verified> {
    return promised(() => this.#operation('verify')(received, now, this.#earlier(now)));
  }

  /**
   * Opens with the current keys, then with retired ones. `isRetired` tells that only an earlier snapshot's key did;
   * `unopened` hears of what no key opens.
   */
  decrypt(
    input: Ciphertext,
    now: Date,
    fairnessKey: FairnessKey = {},
    { unopened }: Pick<Refusals, 'unopened'> = {},
  ): Promise<Decrypted & { isRetired: boolean }> {
    return this.#opened('ciphertext', { now, unopened }, (earlier) =>
      this.#operation('decrypt')(input, this.#turn(fairnessKey), earlier),
    );
  }

  /**
   * Verifies a notification and opens it, in one step. The key that signed it and the key that opens it may be of
   * different sets, since a platform replaces them apart. `isRetired`: only an earlier snapshot's key opened it.
   * `unverified` hears of a signature that is refused; `unopened` of one that is valid, on what no key opens.
   */
  async receive(
    received: ReceivedNotification,
    now: Date,
    { unverified = () => undefined, unopened }: Refusals = {},
  ): Promise<OpenedNotification & { isRetired: boolean }> {
    // Of a platform that has neither, what was asked for is named.
    const [open, verify] = [this.#operation('openNotification'), this.#operation('verify')];
    const verifying = VerifiedNotification.from((copy, at) => verify(copy, at, this.#earlier(at)), received, now);
    verifying.catch(unverified);
    const notification = await verifying;
    return this.#opened('notification', { now, unopened }, (earlier) => open(notification, earlier));
  }

  /** What these keys could not open since they last opened something of its kind. */
  get unopened(): readonly Unopened[] {
    return this.#unopening.list();
  }

  /** What `open` opened, and whether an earlier snapshot's key did; what no key opens is noted. */
  async #opened<T extends object>(
    kind: Sealed,
    { now, unopened = () => undefined }: { readonly now: Date } & Pick<Refusals, 'unopened'>,
    open: (earlier: Earlier) => Promise<T>,
  ): Promise<T & { isRetired: boolean }> {
    let isRetired = false;
    try {
      const earlier = this.#earlier(now, () => (isRetired = true));
      const opened = await open(earlier);
      this.#unopening.clear(kind);
      return { ...opened, isRetired };
    } catch (error) {
      const refusal = this.#unopening.note(kind, error, now);
      if (refusal !== undefined) unopened(refusal);
      throw error;
    }
  }

  /** @throws PaycertError `operation-unsupported` */
  #operation<Name extends keyof Operations>(name: Name): Operations[Name] {
    const operation = this.context.operations[name];
    if (operation !== undefined) return operation;
    const message = `${publicNames[name] ?? name} is not an operation of this credential`;
    throw new PaycertError('operation-unsupported', message);
  }

  #turn(fairnessKey: FairnessKey): Turn {
    return (work, here) => this.#limiter.run(fairnessKey, work, here);
  }

  #othersAt(now: Date): readonly SigningContext[] {
    if (this.retired.length === 0) return this.beside ? [this.beside] : [];
    const retired = this.retired.filter(({ until }) => now < until).map(({ context }) => context);
    return this.beside ? [this.beside, ...retired] : retired;
  }

  /** `opened` hears that one of them opened something. */
  #earlier(now: Date, opened: () => void = () => undefined): Earlier {
    const contexts = this.#othersAt(now);
    if (contexts.length === 0) return nothingEarlier;
    const openers = contexts.flatMap(({ operations }) => operations.openers ?? []);
    return {
      verifiers: contexts.flatMap(({ operations }) => operations.verifiers ?? []),
      openers: openers.map((opener) => ({
        ...opener,
        async open(input: Ciphertext, turn: Turn) {
          const plaintext = await opener.open(input, turn);
          if (plaintext !== undefined) opened();
          return plaintext;
        },
      })),
    };
  }
}

/** As it is between rotations, for thousands of calls a second. */
const nothingEarlier: Earlier = { verifiers: [], openers: [] };

const isKeyUnknown = (error: unknown): boolean => error instanceof PaycertError && error.code === 'key-unknown';

/** What a snapshot can do at that time. */
export function lacking(
  snapshot: { readonly context: Pick<SigningContext, 'set'> } | undefined,
  required: readonly Capability[],
  now: Date,
): readonly Capability[] {
  const able = snapshot?.context.set.capabilities(now);
  return required.filter((capability) => able?.has(capability) !== true);
}
