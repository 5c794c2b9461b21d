// The frozen result of one load. Signs with one key; verifies and decrypts with current keys and those retired before them.
import { createHash } from 'node:crypto';
import type { FairnessKey, Limiter } from './limiter.ts';
import { type ErrorCode, PaycertError } from '../errors.ts';
import type {
  AuthorizedRequest,
  Capability,
  Ciphertext,
  Decrypted,
  Encrypted,
  Moment,
  OpenedNotification,
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

/** A context that an earlier swap replaced, and until when its keys still verify and decrypt. */
export interface Retired {
  readonly context: SigningContext;
  readonly snapshotId: string;
  readonly until: Date;
}

/** However fast keys rotate, memory and the cost of an unknown key id stay bounded. */
const maxRetired = 16;

/** Equal in every process that loaded the same keys: a digest of roles, key ids and fingerprints, never of secrets. */
export function snapshotId(context: SigningContext): string {
  const keys = context.keys.map(({ role, keyId, fingerprint }) => `${role} ${keyId} ${fingerprint}`).sort();
  return createHash('sha256').update(keys.join('\n')).digest('hex').slice(0, 16);
}

/** What a context says when another one's keys may do. */
const verifyOtherKeys = ['key-id-unknown', 'no-platform-key'] as const satisfies readonly ErrorCode[];
/** Where no key is named, every refusal that depends on the key; a seal that only its key opens stands for a signature. */
const unnamedOtherKeys = [...verifyOtherKeys, 'signature-invalid', 'decryption-failed'] as const;
const decryptOtherKeys = ['decryption-failed', 'no-apiv3-key', 'no-aes-key'] as const satisfies readonly ErrorCode[];

type Attempt<T> = (context: SigningContext) => Promise<T>;

export class Snapshot {
  readonly generation: number;
  readonly snapshotId: string;
  readonly context: SigningContext;
  readonly retired: readonly Retired[];
  readonly loadedAt: Date;
  /** In this process. */
  readonly firstSeen: FirstSeen;
  /** The origin's version of the material, for people. */
  readonly version: string | undefined;
  readonly #limiter: Limiter;

  constructor(
    context: SigningContext,
    about: {
      generation: number;
      loadedAt: Date;
      version: string | undefined;
      retired: readonly Retired[];
      seenBefore?: FirstSeen | undefined;
    },
    limiter: Limiter,
  ) {
    this.generation = about.generation;
    this.snapshotId = snapshotId(context);
    this.context = context;
    // The same keys again are not retired: a snapshot that came back is current.
    this.retired = about.retired.filter((retired) => retired.snapshotId !== this.snapshotId).slice(0, maxRetired);
    this.loadedAt = about.loadedAt;
    this.firstSeen = noteSeen(about.seenBefore ?? new Map(), context.keys, about.loadedAt);
    this.version = about.version;
    this.#limiter = limiter;
    Object.freeze(this);
  }

  /** What the next snapshot finds retired: this one, and those before it whose grace has not ended. */
  retire(now: Date, graceMilliseconds: number): readonly Retired[] {
    const self = {
      context: this.context,
      snapshotId: this.snapshotId,
      until: new Date(now.getTime() + graceMilliseconds),
    };
    return [self, ...this.retired].filter(({ until }) => now < until);
  }

  sign(message: Uint8Array, fairnessKey: FairnessKey = {}): Promise<Signed> {
    return this.#limiter.run(fairnessKey, () => supported(this.context.sign, 'sign')(message));
  }

  authorize(request: RequestToAuthorize, moment: Moment, fairnessKey: FairnessKey = {}): Promise<AuthorizedRequest> {
    return this.#limiter.run(fairnessKey, () => supported(this.context.authorize, 'authorize')(request, moment));
  }

  paymentParameters(
    input: PaymentParametersInput,
    moment: Moment,
    fairnessKey: FairnessKey = {},
  ): Promise<Readonly<Record<string, string>>> {
    return this.#limiter.run(fairnessKey, () =>
      supported(this.context.paymentParameters, 'payment-parameters')(input, moment),
    );
  }

  /** For the key named, also one that a swap has just replaced: the fields of one request are encrypted one by one. */
  async encrypt(plaintext: Uint8Array, now: Date, keyId?: string): Promise<Encrypted> {
    const { result } = await this.#overlapping(now, ['key-unknown'], (context) =>
      supported(context.encrypt, 'encrypt')(plaintext, now, keyId),
    );
    return result;
  }

  /** Verifies with the key that the signature names, or with each where it names none, among all that are still valid. */
  async verify(received: Received, now: Date): Promise<Verified> {
    const { result } = await this.#overlapping(now, this.#verifyOtherKeys, (context) =>
      supported(context.verify, 'verify')(received, now),
    );
    return result;
  }

  /** Opens with the current key, then with the ones before it. `isRetired` tells that only an earlier snapshot's key did. */
  async decrypt(
    input: Ciphertext,
    now: Date,
    fairnessKey: FairnessKey = {},
  ): Promise<Decrypted & { isRetired: boolean }> {
    const open = () =>
      this.#overlapping(now, decryptOtherKeys, (context) => supported(context.decrypt, 'decrypt')(input));
    // Only fields cost an RSA operation.
    const { result, isRetired } = await ('algorithm' in input ? open() : this.#limiter.run(fairnessKey, open));
    return { ...result, isRetired };
  }

  /**
   * Verifies a notification and opens it, in one step. The key that signed it and the key that opens it may be of
   * different sets, since a platform replaces them apart. `isRetired`: only an earlier snapshot's key opened it.
   * `unverified` hears of a signature that is refused; one that is valid may still open with no key.
   */
  async receive(
    received: ReceivedNotification,
    now: Date,
    unverified: (error: unknown) => void = () => undefined,
  ): Promise<OpenedNotification & { isRetired: boolean }> {
    const verifying = this.#overlapping(now, this.#verifyOtherKeys, (context) =>
      VerifiedNotification.from(supported(context.verify, 'verify'), received, now),
    );
    verifying.catch(unverified);
    const { result: notification } = await verifying;
    const { result, isRetired } = await this.#overlapping(now, decryptOtherKeys, (context) =>
      supported(context.openNotification, 'notification')(notification),
    );
    return { ...result, isRetired };
  }

  get #verifyOtherKeys(): readonly ErrorCode[] {
    return this.context.namesNoKey ? unnamedOtherKeys : verifyOtherKeys;
  }

  /** The current context first, then the retired ones whose grace has not ended, while the answer is "not with my keys". */
  async #overlapping<T>(
    now: Date,
    otherKeys: readonly ErrorCode[],
    attempt: Attempt<T>,
  ): Promise<{ result: T; isRetired: boolean }> {
    try {
      return { result: await attempt(this.context), isRetired: false };
    } catch (error) {
      if (!isOneOf(error, otherKeys)) throw error;
      for (const { context, until } of this.retired) {
        if (until <= now) continue;
        try {
          return { result: await attempt(context), isRetired: true };
        } catch (again) {
          if (!isOneOf(again, otherKeys)) throw again;
        }
      }
      throw error;
    }
  }
}

const isOneOf = (error: unknown, codes: readonly ErrorCode[]): boolean =>
  error instanceof PaycertError && codes.includes(error.code);

function supported<F>(operation: F | undefined, name: string): F {
  if (operation === undefined)
    throw new PaycertError('operation-unsupported', `${name} is not an operation of this credential`);
  return operation;
}

/** What a snapshot can do at that time. */
export function lacking(
  snapshot: Snapshot | undefined,
  required: readonly Capability[],
  now: Date,
): readonly Capability[] {
  const able = snapshot?.context.capabilities(now);
  return required.filter((capability) => able?.has(capability) !== true);
}
