// What a payment platform is to the rest of paycert: a provider loads material into a signing context.
import type { KeyObject } from 'node:crypto';
import type { Message } from '../crypto/message.ts';
import type { NameSecret } from '../crypto/check-value.ts';
import type { RemoteKeys, Turn } from '../crypto/private-key.ts';
import type { Suite } from '../crypto/suites.ts';
import type { PaycertError } from '../errors.ts';
import type { Role } from './roles.ts';
import type { TlsIdentities } from './shared/tls-identity.ts';
import type { VerifiedNotification } from './verified.ts';

/** Public facts about one key: what checks, status and metrics look at. Holds no secret. */
export interface KeyFacts {
  readonly role: Role;
  /** What names the key on the wire: a serial number, a `PUB_KEY_ID_…`, Alipay's SN. Ours where the wire has none. */
  readonly keyId: string;
  /** For people, such as `RSA-2048` or `AES-256-GCM`. */
  readonly algorithm: string;
  /** SHA-256 of the certificate or public key, hex; for a symmetric key, its four-byte check value. */
  readonly fingerprint: string;
  /** Of a symmetric key, as versions before the slow derivation had it: to find its age in a status, and never shown. */
  readonly formerFingerprint?: string;
  readonly notBefore?: Date;
  /** Absent: the key does not expire, or its certificate was not given. */
  readonly notAfter?: Date;
  /** The certificate's issuer, shown and never checked. */
  readonly issuer?: string;
  /** Its platform listed it; the material of its owner does not hold it. */
  readonly isDownloaded?: true;
}

/** A signature, as bytes, and the id of the key that made it: the two go together. */
export interface Signed {
  readonly signature: Uint8Array;
  readonly keyId: string;
}

/** One shape for all platforms: each takes its own members and refuses the others by name, `request-invalid`. */
export interface RequestToAuthorize {
  readonly method?: string;
  /** Absolute, or a path with its query; signed as given. */
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** The platform key that fields of the body are encrypted for. */
  readonly encryptionKeyId?: string;
  /** The platform's own name of the call: Alipay's `alipay.trade.query`, the `Action` of Aliyun's RPC. */
  readonly apiMethod?: string;
  /** Business parameters as JSON text, signed exactly as given. */
  readonly bizContent?: string;
  /** Plain parameters; which of them are the platform's own is the provider's to say. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** The merchant's authorization of an application that acts for it. */
  readonly appAuthToken?: string;
}

/** What makes one authorization unique: time and chance are the caller's. */
export interface Moment {
  readonly now: Date;
  readonly nonce: string;
}

/** A request as it is to be sent: once, and unchanged. */
export interface AuthorizedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Only when it differs from the body given. */
  readonly body?: Uint8Array;
  readonly keyId: string;
}

/** One shape for all platforms, as above. `return`: the address that the paying user's browser came back to. */
export type Received =
  | {
      readonly kind: 'response' | 'notification' | 'return';
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: Uint8Array;
      /** Of the request that was received, or that was answered. */
      readonly method?: string;
      /** Of the request that was answered, or that a notification is; of a `return`, the address itself with its query. */
      readonly url?: string;
      readonly status?: number;
      /** The platform's own name of the call that was answered. */
      readonly apiMethod?: string;
    }
  | { readonly kind: 'message'; readonly message: Uint8Array; readonly signature: string; readonly keyId: string };

/** What the platform sent by itself. */
export type ReceivedNotification = Extract<Received, { readonly body: Uint8Array }> & { readonly kind: 'notification' };

/** Which key of the platform signed what was verified. */
export interface Verified {
  readonly keyId: string;
  /** Which of the platform's forms of signed text it was, where it has several. */
  readonly rule?: string;
}

/** A ciphertext, as bytes, and the id of the key that opens it, which platforms want to be sent beside it. */
export interface Encrypted {
  readonly ciphertext: Uint8Array;
  readonly keyId: string;
}

/** An authenticated ciphertext with its parameters, or one field encrypted for the merchant's own key. */
export type Ciphertext =
  | {
      readonly algorithm: string;
      readonly ciphertext: string;
      readonly nonce?: string;
      readonly associatedData?: string;
    }
  | { readonly ciphertext: string };

/** A plaintext, as bytes, and the key that opened it. */
export interface Decrypted {
  readonly plaintext: Uint8Array;
  readonly keyId: string;
  readonly role: Role;
}

/** A notification that was verified and opened. */
export interface OpenedNotification {
  readonly id: string;
  readonly eventType: string;
  /** What was sent; where it came encrypted, decrypted: parsed where it is JSON, otherwise its text. */
  readonly resource: unknown;
  readonly keyId: string;
  /** The role of the key that decrypted it: tells whether a previous key still earns its keep. Absent: it came in the clear. */
  readonly role?: Role;
}

/** One shape for all platforms, as above: WeChat Pay takes the first three, Alipay the others. */
export interface PaymentParametersInput {
  readonly type?: 'jsapi' | 'app';
  /** WeChat Pay v2: as the order was signed. Default MD5. */
  readonly signType?: 'MD5' | 'HMAC-SHA256';
  readonly appId?: string;
  readonly prepayId?: string;
  readonly apiMethod?: string;
  readonly bizContent?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly appAuthToken?: string;
}

/** What a credential can be asked to be able to do. */
export type Capability = 'sign' | 'verify' | 'decrypt';

/** What one set of keys is: facts, and no secret. The operator holds nothing else. */
export interface KeySet {
  readonly keys: readonly KeyFacts[];
  /** When they were made, as the material says; an error where what it says is no time. */
  readonly createdAt?: Date | PaycertError;
  /** Why this material is invalid whatever the time: parts that do not parse, are missing or contradict each other. */
  readonly problems: readonly PaycertError[];
  /** Why it is invalid at that time, beyond the dates that every certificate has. */
  readonly violations?: (now: Date) => readonly PaycertError[];
  /** What this set of keys can do at that time; an expired certificate cannot sign, an expired set cannot verify. */
  readonly capabilities: (now: Date) => ReadonlySet<Capability>;
  /** Names in the material that the provider never read. Absent: nobody asked. */
  readonly ignored?: readonly string[];
  /** Parts that say whom to trust: those that hold authorities, and those that are there and empty. Absent: there are no such parts. */
  readonly trust?: { readonly filled: readonly string[]; readonly empty: readonly string[] };
  /** What is odd at that time, and no reason to refuse. */
  readonly warnings: (now: Date) => readonly PaycertError[];
  /** Whether the symmetric key has opened something that the platform wrote. Absent: there is no such key. */
  readonly isProven?: () => boolean;
  /** The key that signs, for the generic checks; its public half and its algorithm where it has them. */
  readonly signer?: { readonly facts: KeyFacts; readonly publicKey?: KeyObject; readonly suite?: Suite };
}

/** What a message says was signed: read once, before any key is tried. */
export interface Claim {
  /** Texts of which one may have been signed; the first that a key confirms counts. */
  readonly messages: readonly Message[];
  /** As it came: base64 or hex, as the platform writes it. */
  readonly signature: string;
  /** The platform's name of the algorithm, where a key can do several. */
  readonly algorithm?: string;
}

/** A key that checks what a platform or a partner signed. */
export interface Verifier {
  readonly facts: KeyFacts;
  /** Equal for equal keys, whatever names them: each is tried once. */
  readonly id: string;
  /** Which message of the claim this key confirms; undefined where it is not one of them. */
  readonly confirm: (claim: Claim) => number | undefined;
}

/** A key that opens what was encrypted for it. */
export interface Opener {
  readonly facts: KeyFacts;
  /** Equal for equal keys that open in the same way: each is tried once. */
  readonly id: string;
  /** Whether this is the kind of ciphertext that it opens. */
  readonly takes: (input: Ciphertext) => boolean;
  /** The plaintext; undefined where this key does not open it. At once, where it needs no turn: a promise for each costs as much. */
  readonly open: (input: Ciphertext, turn: Turn) => Promise<Uint8Array | undefined> | Uint8Array | undefined;
  /** It cannot tell that a key is the wrong one, so it is tried after all that can. */
  readonly isGuess?: boolean;
}

/** Keys of sets that were retired and still count, the youngest first; tried after those of the set itself. */
export interface Earlier {
  readonly verifiers: readonly Verifier[];
  readonly openers: readonly Opener[];
}

/**
 * What a set of keys can do; what it cannot is absent. Nothing here reads a clock, and what needs chance takes a `Moment`.
 * Every operation throws `PaycertError`: `request-invalid` for what the caller must correct, kind `refused` for what the
 * platform did not sign or encrypt for these keys, kind `not-ready` where a key is missing.
 */
export interface Operations {
  /** The signature over these bytes, as bytes. */
  readonly sign: (message: Uint8Array, turn?: Turn) => Promise<Signed>;
  /** The request with everything that the platform asks for, to be sent once and unchanged. */
  readonly authorize: (request: RequestToAuthorize, moment: Moment, turn?: Turn) => Promise<AuthorizedRequest>;
  /** The key that signed what was received. It is read once; then each distinct key is tried once. */
  readonly verify: (received: Received, now: Date, earlier?: Earlier) => Promise<Verified>;
  /** The keys that `verify` tries, for the sets that come after this one. */
  readonly verifiers: readonly Verifier[];
  /** Encrypts one field for the platform: under the key of that id, else under the one that lasts longest. */
  readonly encrypt: (plaintext: Uint8Array, now: Date, keyId?: string) => Promise<Encrypted>;
  /** Opens with the first key that can. One code for every cause: which byte was wrong is nobody's business. */
  readonly decrypt: (input: Ciphertext, turn?: Turn, earlier?: Earlier) => Promise<Decrypted>;
  /** The keys that `decrypt` tries, for the sets that come after this one. */
  readonly openers: readonly Opener[];
  /** Opens what has been verified; `receive` of a snapshot does both. */
  readonly openNotification: (notification: VerifiedNotification, earlier?: Earlier) => Promise<OpenedNotification>;
  /** The signed object that the paying client needs. */
  readonly paymentParameters: (
    input: PaymentParametersInput,
    moment: Moment,
    turn?: Turn,
  ) => Promise<Readonly<Record<string, string>>>;
}

/** One load: what the set is, what it can do, and what it presents and trusts in TLS. Never changes, and keeps no bytes. */
export interface SigningContext {
  readonly set: KeySet;
  readonly operations: Partial<Operations>;
  readonly tls?: TlsIdentities;
}

/** A set that can do nothing, and says why. A signer's dates are checked all the same: all faults are reported at once. */
export const unusable = (problems: readonly PaycertError[], signer?: KeySet['signer']): SigningContext => ({
  set: { keys: [], problems, capabilities: () => new Set(), warnings: () => [], ...(signer && { signer }) },
  operations: {},
});

export interface Provider {
  readonly id: string;
  /** What must never change under one credential's name, such as the merchant id. */
  readonly identity: string;
  /**
   * Parses and keeps no bytes. What is wrong with the material is in the set's `problems`. `remote`: the keys that the material
   * refers to; absent where no key service is asked. `nameSecret`: check values, unless less is asked of symmetric keys.
   */
  load(data: ReadonlyMap<string, Uint8Array>, remote?: RemoteKeys, nameSecret?: NameSecret): Promise<SigningContext>;
}
