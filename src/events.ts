// Everything that happens, as one union. `Observe` is passed in, like time: emitters do not know their consumers.
import type { PaycertError } from './errors.ts';
import type { Trace } from './trace.ts';

/** Platforms refuse what is signed five minutes off; long before that somebody must know. */
export const tolerableSkewSeconds = 60;

/** Of a source with two sets: the one that does not sign here. `isActive`: that is the former one. */
export interface StagedState {
  readonly isActive: boolean;
  /** When the next set signs; absent where a share decides. */
  readonly until?: Date;
  readonly percent?: number;
  /** The share is of the calls in each pod; otherwise of the pods. */
  readonly of?: 'requests';
  /** What names the key of the set that does not sign. */
  readonly keyId?: string | undefined;
  readonly snapshotId?: string;
  /** The next set signs a share of the calls here, and the current one the others. */
  readonly isPartial?: boolean;
  /** It would sign here, and does not: its platform refuses too many of its signatures. */
  readonly isRejected?: boolean;
  /** Why that set is of no use. */
  readonly error?: PaycertError;
}

/** What a platform said when it was last asked for the certificates that it signs with. */
export interface CertificateListState {
  readonly at: Date;
  /** `absent`: it has none for this merchant, and signs with a public key. `unknown`: it has none of the number that a message named. */
  readonly outcome: 'listed' | 'absent' | 'unknown' | 'failed';
  /** When it last gave a list that was taken. */
  readonly listedAt?: Date;
  /** Why it failed; what was listed before stays. */
  readonly error?: PaycertError;
}

/** What the span of a request says of it, beside its event. There where it is traced. */
export interface TracedRequest {
  readonly trace: Trace;
  readonly method: string;
  /** Without its query, and without what names an order or a person. Of a call that came in, its path alone. */
  readonly url: string;
  /** What signed it. */
  readonly keyId?: string;
  readonly generation?: number;
  /** What it is for, where paycert makes it by itself. */
  readonly operation?: string;
  /** How often the call was tried before. */
  readonly resends?: number;
}

/**
 * What happens, by its `type`. Members named `seconds` are durations; those named `…At`, `until` and `notAfter` are times. `isNew`: it
 * was not so before, so it is worth a line. No member holds a secret.
 */
export type Event =
  // reloads
  | {
      readonly type: 'swapped';
      readonly credential: string;
      readonly generation: number;
      readonly snapshotId: string;
      /** The key that signs from now on. */
      readonly keyId: string | undefined;
      /** Until when its certificate is valid. */
      readonly notAfter: Date | undefined;
      readonly seconds: number;
      /** From the change at its origin to current, where the origin says when it changed. */
      readonly changeToCurrentSeconds: number | undefined;
      /** The material is older than what it replaced. */
      readonly isRollback: boolean;
      readonly warnings: readonly PaycertError[];
      /** When it was kept, of what is restored after a restart, since the newest material is not accepted. */
      readonly keptAt?: Date;
    }
  | {
      readonly type: 'rejected';
      readonly credential: string;
      readonly error: PaycertError;
      readonly seconds: number;
      /** False when the same revision was rejected for the same reason before: counted and logged once. */
      readonly isNew: boolean;
      /** Nothing is current yet: there is no last good one that stays. */
      readonly isFirst?: boolean;
    }
  /** Good material that is not valid yet: at `until` it becomes current by itself. */
  | {
      readonly type: 'deferred';
      readonly credential: string;
      readonly error: PaycertError;
      readonly until: Date;
      /** Whether the current set can do what it must until then. */
      readonly isBridged: boolean;
      readonly seconds: number;
      /** As of a rejection. */
      readonly isNew: boolean;
    }
  /** A platform was asked about a new key, before that may become current. `none`: it did not say. */
  | {
      readonly type: 'live-checked';
      readonly credential: string;
      readonly verdict: 'accepted' | 'refused' | 'none';
    }
  /** After a swap, of a source with two sets. */
  | ({ readonly type: 'staged'; readonly credential: string } & StagedState)
  /** What a file says of when the next set signs makes no sense, or cannot be read: what it said last counts. */
  | { readonly type: 'activation-refused'; readonly credential: string; readonly error: PaycertError }
  /** `isRecovery`: what was refused or unreadable has been put right, and the current snapshot is the newest again. */
  | { readonly type: 'unchanged'; readonly credential: string; readonly isRecovery: boolean }
  /** One part of a pair changed in plain files, and the other has not within five seconds: what is there is used. */
  | {
      readonly type: 'parts-unmatched';
      readonly credential: string;
      readonly changed: readonly string[];
      readonly unchanged: readonly string[];
    }
  | { readonly type: 'found-by-poll'; readonly credential: string }
  | {
      readonly type: 'source-failed';
      readonly credential: string;
      readonly error: PaycertError;
      readonly isNew: boolean;
      /** As of a rejection. */
      readonly isFirst?: boolean;
    }
  /** What is current is not kept for a restart, or what was kept is not restored. `isNew`: for another reason than before. */
  | {
      readonly type: 'last-good-failed';
      readonly credential: string;
      readonly error: PaycertError;
      readonly isNew: boolean;
    }
  /** Without a credential: the file of the process. */
  | {
      readonly type: 'mount-frozen';
      readonly credential?: string;
      readonly file?: FollowedFile;
      readonly paths: readonly string[];
    }
  /** The annotations that hold a copy of the keys are others than before; without any, they have been removed. */
  | {
      readonly type: 'copies-changed';
      readonly credential: string;
      readonly copies: readonly { readonly namespace: string; readonly secret: string; readonly annotation: string }[];
    }
  | { readonly type: 'credential-added'; readonly credential: string }
  | { readonly type: 'credential-removed'; readonly credential: string }
  /** A bug: an unexpected throw, kept from everything else. */
  | { readonly type: 'internal-error'; readonly where: string; readonly credential?: string; readonly error: unknown }
  /** Another of several sources is read now. `error`: why none before it was. */
  | { readonly type: 'source-chosen'; readonly source: string; readonly error?: PaycertError }
  /** A fallback shows what was read from a better source that long before. */
  | { readonly type: 'fallback-caught-up'; readonly source: string; readonly seconds: number }
  // resources that a sidecar follows
  | { readonly type: 'resource-followed'; readonly credential: string; readonly isSuspended: boolean }
  | { readonly type: 'resource-refused'; readonly credential: string; readonly error: PaycertError }
  // watching
  /** `reason`: a code of an error, which is there too, or of the system. */
  | { readonly type: 'watch-failed'; readonly source: string; readonly reason: string; readonly error?: PaycertError }
  | { readonly type: 'watch-restarted'; readonly source: string }
  /** It failed, and nobody needs it any more. */
  | { readonly type: 'watch-ended'; readonly source: string }
  /** By how much our clock is ahead of the API server's. `isNews`: it has just gone wrong, or right. */
  | { readonly type: 'clock-compared'; readonly aheadSeconds: number; readonly isNews: boolean }
  /** This process begins or ceases to be the one of several that acts. */
  | { readonly type: 'leading'; readonly lease: string; readonly isLeading: boolean }
  // the operator; `object` is `namespace/name`
  | {
      readonly type: 'reconciled';
      readonly object: string;
      /** `standby`: another replica leads, and writes. */
      readonly outcome: 'unchanged' | 'written' | 'standby' | 'failed';
      readonly error?: PaycertError;
      readonly seconds: number;
    }
  | {
      readonly type: 'condition-changed';
      readonly object: string;
      readonly condition: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
      /** Whether somebody should look at it. */
      readonly isBad: boolean;
    }
  /** `isNew`: it is not the failure of the attempt before. */
  | {
      readonly type: 'status-unwritten';
      readonly object: string;
      readonly error: PaycertError;
      readonly isNew: boolean;
    }
  /** It is tried again. `isNew`: it is not the failure of the attempt before. */
  | { readonly type: 'event-lost'; readonly object: string; readonly error: PaycertError; readonly isNew: boolean }
  | { readonly type: 'event-recorded'; readonly object: string }
  | { readonly type: 'pods-refreshed'; readonly object: string; readonly pods: number; readonly error?: PaycertError }
  /** The audit of a Pod is continued below what was known of it, or by another line: lines were cut off or rewritten. `object`: the Pod. */
  | {
      readonly type: 'audit-cut';
      readonly object: string;
      readonly kind: 'cut' | 'rewritten';
      /** The last line that was known, and the one that is there. */
      readonly known: number;
      readonly found: number;
    }
  /** Where the ends of audits are remembered for the next leader cannot be read or written. `object`: the ConfigMap. */
  | {
      readonly type: 'audit-ends-unstored';
      readonly object: string;
      readonly error: PaycertError;
      readonly isNew: boolean;
    }
  /** A Pod was told when the next of two staged sets signs; it is tried again. `object`: the Pod. `isNew`: it is not the failure before. */
  | { readonly type: 'activation-written'; readonly object: string }
  | {
      readonly type: 'activation-unwritten';
      readonly object: string;
      readonly error: PaycertError;
      readonly isNew: boolean;
    }
  /** The operator has asked for the certificates of a platform, and written what it lists into their Secret. As `certificates-listed`. */
  | ({
      readonly type: 'certificates-stored';
      readonly object: string;
      readonly isChanged: boolean;
      readonly isNew: boolean;
    } & CertificateListState)
  /** So many sidecars were asked what they have, and answered, or not. */
  | { readonly type: 'fleet-asked'; readonly answered: number; readonly unanswered: number; readonly seconds: number }
  /** A write was reviewed before it was stored; nobody knows yet whether it will be. `failed`: the cluster’s policy decides. */
  | {
      readonly type: 'reviewed';
      readonly kind: 'Secret' | 'PaymentCredential' | 'Pod';
      readonly object: string;
      /** `overridden`: refused, and let through for its break-glass annotation. */
      readonly outcome: 'allowed' | 'refused' | 'overridden' | 'failed';
      readonly isDryRun: boolean;
      /** Who writes, as the API server knows it. */
      readonly user?: string;
      /** The PaymentCredentials whose keys a Pod gets by it. */
      readonly injected?: readonly string[];
      /** The first that is against it. */
      readonly error?: PaycertError;
      readonly seconds: number;
    }
  /** A Pod that asks for a sidecar and has none: `not-injected`: a new one would have none either. `object`: its owner. */
  | {
      readonly type: 'pod-recreated';
      readonly object: string;
      readonly kind: string;
      readonly outcome: 'evicted' | 'not-injected' | 'failed';
      readonly error?: PaycertError;
    }
  /** The webhooks' certificate is what is due, and its authority, until then, is in their configuration. */
  | { readonly type: 'serving-kept'; readonly notAfter: Date; readonly isChanged: boolean }
  /** It is tried again. `isNew`: it is not the failure of the attempt before. */
  | { readonly type: 'serving-failed'; readonly error: PaycertError; readonly isNew: boolean }
  // configuration
  /** `needsRestart`: something changed that only a new process picks up, such as a listener. */
  | { readonly type: 'configured'; readonly credentials: number; readonly needsRestart: boolean }
  /** What a file of the process holds now is not used: the last good content is. */
  | { readonly type: 'config-rejected'; readonly file: FollowedFile; readonly error: PaycertError }
  /** A listener of the operator shows another certificate. */
  | {
      readonly type: 'certificate-presented';
      readonly file: CertificateFile;
      readonly notBefore: Date;
      readonly notAfter: Date;
    }
  | { readonly type: 'token-replaced'; readonly file: TokenFile }
  // operations
  | {
      readonly type: 'operated';
      /** Its id, the listener it came through, and what the caller says of itself, unverified. */
      readonly call: string;
      readonly listener: string;
      readonly claim?: string;
      readonly credential: string;
      readonly operation: string;
      readonly outcome: Outcome;
      readonly seconds: number;
      /** There where it is traced. */
      readonly trace?: Trace;
    }
  | { readonly type: 'unverified'; readonly credential: string; readonly kind: string; readonly error: PaycertError }
  /** A message names a key of its platform that is not known here, or none of the platform's is valid: it may be new. */
  | { readonly type: 'key-missed'; readonly credential: string; readonly keyId: string }
  /** `notification`: its signature is valid, so the platform wrote it, and what it says is not known here. */
  | {
      readonly type: 'unopened';
      readonly credential: string;
      readonly kind: 'notification' | 'ciphertext';
      readonly error: PaycertError;
    }
  /** What a platform said of a signature: by its response to the proxy, or by the application's report. */
  | {
      readonly type: 'judged';
      readonly credential: string;
      readonly keyId: string;
      readonly outcome: 'accepted' | 'refused';
    }
  | { readonly type: 'decrypted'; readonly credential: string; readonly role: string; readonly isRetired: boolean }
  // keys that stay elsewhere
  /** One signature, or one ciphertext to open, asked of a key service. `key`: the reference and the padding. */
  | {
      readonly type: 'remote-signed';
      readonly service: string;
      readonly use: 'sign' | 'decrypt';
      readonly key: string;
      readonly outcome: RemoteOutcome;
      readonly seconds: number;
      readonly error?: PaycertError;
    }
  /** `open`: too many requests to that key service failed, and for a while none is sent. `half-open`: one may try. */
  | {
      readonly type: 'key-service-changed';
      readonly service: string;
      readonly state: 'closed' | 'open' | 'half-open';
    }
  /** The process that a module of keys is loaded in: it runs; it was ended, or ended by itself. */
  | { readonly type: 'key-process-started'; readonly service: string; readonly pid?: number }
  | { readonly type: 'key-process-ended'; readonly service: string; readonly error: PaycertError }
  /** The files of its access key cannot be read, and the key is used on. Without `error`: they are read again, or its cloud takes it no more. */
  | { readonly type: 'access-key-kept'; readonly service: string; readonly error?: PaycertError }
  /** It refused one request, since the account sends too many: all wait for a moment, and fewer are sent at once. */
  | { readonly type: 'key-service-throttled'; readonly service: string }
  // the gateway of a platform
  /** One try of a call on the wire. */
  | {
      readonly type: 'attempted';
      readonly call: string;
      readonly credential: string;
      readonly host: string;
      readonly startedAt: Date;
      readonly endedAt: Date;
      readonly outcome: 'responded' | 'not-sent' | 'interrupted' | 'timed-out';
      readonly status?: number;
      readonly traced?: TracedRequest;
    }
  /** Nobody can connect to a host of a platform; its calls go to its spare. */
  | { readonly type: 'failed-over'; readonly host: string; readonly spare: string }
  | { readonly type: 'failed-back'; readonly host: string; readonly spare: string }
  /** `open`: too many calls of the credential to that host failed, and for a while none is sent. `half-open`: one call may try. */
  | {
      readonly type: 'breaker-changed';
      readonly credential: string;
      readonly host: string;
      readonly state: 'closed' | 'open' | 'half-open';
    }
  /** A call that was not sent: its breaker is open, or too many are under way already. */
  | {
      readonly type: 'held-back';
      readonly credential: string;
      readonly host: string;
      readonly reason: 'breaker' | 'bulkhead';
    }
  /** By how many seconds at least the clock here is ahead of that of a platform, negative behind. */
  | {
      readonly type: 'platform-clock-compared';
      readonly host: string;
      readonly aheadSeconds: number;
      readonly isNews: boolean;
    }
  /** A call of a platform that paycert made by itself: a download, a live check. */
  | {
      readonly type: 'own-called';
      readonly call: string;
      readonly credential: string;
      readonly operation: string;
      readonly outcome: Outcome;
      readonly attempts: number;
      readonly seconds: number;
      /** There where it is traced. */
      readonly trace?: Trace;
    }
  /** `isChanged`: the list differs from the one before. `isNew`: so does what became of it. */
  | ({
      readonly type: 'certificates-listed';
      readonly credential: string;
      readonly isChanged: boolean;
      readonly isNew: boolean;
    } & CertificateListState)
  /** A call that the proxy has forwarded, or refused. `outcome`: what is known of it, see docs/proxy.md. */
  | {
      readonly type: 'forwarded';
      readonly call: string;
      readonly credential: string;
      readonly method: string;
      readonly outcome: 'ok' | 'refused' | 'unknown';
      /** Of the response that the caller got. */
      readonly status: number;
      readonly verified?: 'yes' | 'none' | 'no';
      readonly attempts: number;
      readonly seconds: number;
      readonly error?: PaycertError;
      readonly traced?: TracedRequest;
    }
  // notifications
  /** What a platform that sent one, or somebody else, was answered. */
  | {
      readonly type: 'notified';
      readonly call: string;
      readonly credential: string;
      readonly outcome: NotifiedOutcome;
      readonly status: number;
      readonly seconds: number;
      readonly error?: PaycertError;
      /** There where it is traced. */
      readonly traced?: TracedRequest;
    }
  /** One was handed to the application, or not. */
  | {
      readonly type: 'delivered';
      readonly call: string;
      readonly credential: string;
      readonly outcome: 'accepted' | 'refused' | 'unreachable' | 'timed-out';
      readonly seconds: number;
      readonly error?: PaycertError;
      /** What the application answered. */
      readonly status?: number;
      /** There where it is traced. */
      readonly traced?: TracedRequest;
    }
  /** The memory of what was delivered is full: one is forgotten that may still come again. */
  | { readonly type: 'notification-forgotten' }
  /** What pods share of what was delivered answers again, or does not. */
  | { readonly type: 'dedupe-changed'; readonly isAvailable: boolean; readonly error?: PaycertError }
  /** One was delivered, and other pods do not know it: they may deliver it too. */
  | { readonly type: 'delivery-unshared'; readonly error: PaycertError }
  /** An order was asked for at another interface of its platform, since its own said nothing of it. */
  | {
      readonly type: 'query-fell-back';
      readonly credential: string;
      readonly instead: string;
      readonly error?: PaycertError;
    }
  // the audit
  /** Its directory takes no lines, or hangs: they wait, and it is tried again. */
  | { readonly type: 'audit-failed'; readonly error: PaycertError }
  | { readonly type: 'audit-recovered' }
  /** Too many waited. */
  | { readonly type: 'audit-lines-lost'; readonly lines: number }
  /** Files were removed before the time that they should be kept: there was no room for them. */
  | { readonly type: 'audit-shortened'; readonly files: number }
  // what is exported to a collector
  | { readonly type: 'exported'; readonly signal: ExportedSignal; readonly items: number }
  /** There was no room for them, it refused them, or the process ended before it took them. */
  | { readonly type: 'export-dropped'; readonly signal: ExportedSignal; readonly items: number }
  /** `reason`: a code of the system, or a status. `isNew`: it took what came before. */
  | {
      readonly type: 'export-failed';
      readonly signal: ExportedSignal;
      readonly reason: string;
      readonly isNew: boolean;
    }
  | { readonly type: 'export-recovered'; readonly signal: ExportedSignal }
  /** An environment variable that is not used: what is wrong with it, without what it says. */
  | { readonly type: 'variable-ignored'; readonly variable: string; readonly why: string }
  // the process
  /** Standard output did not take them: its disk is full, or its reader is slow or gone. */
  | { readonly type: 'lines-dropped'; readonly lines: number }
  | { readonly type: 'listening'; readonly listener: string; readonly address: string }
  /** The file of the socket is gone, or another's; `error`: why it cannot be put back yet. */
  | { readonly type: 'socket-lost'; readonly path: string; readonly error?: PaycertError }
  | { readonly type: 'socket-restored'; readonly path: string }
  | { readonly type: 'stopping'; readonly drainSeconds: number };

export type ExportedSignal = 'traces' | 'logs';

/** A file of the process itself that it follows while it runs. */
export type FollowedFile = 'configuration' | CertificateFile | TokenFile;

/** Of the operator's listeners: health and metrics, and reviews. */
export type CertificateFile = 'certificate' | 'admission-certificate';

/**
 * What became of a notification. `repeated`: it was delivered before, or is while it comes again. `asked`: its platform asked whether it
 * arrives here, which is nothing for the application. `undelivered`: the application did not
 * take it. `late`: it has not yet. `elsewhere`: another pod is delivering it. `refused`: its signature is. `limited`, `not-ready`, `invalid`: nobody looked at its signature.
 */
export type NotifiedOutcome =
  | 'accepted'
  | 'repeated'
  | 'asked'
  | 'undelivered'
  | 'late'
  | 'elsewhere'
  | 'refused'
  | 'unopened'
  | 'limited'
  | 'not-ready'
  | 'invalid';

/**
 * How a signature ended that a key service was asked for. `refused`: of that key or of us. `overloaded`, `held-back`: nothing was sent, since too
 * many wait, or since the service fails.
 */
export type RemoteOutcome = 'ok' | 'refused' | 'unavailable' | 'timed-out' | 'throttled' | 'overloaded' | 'held-back';

/** Of the local API, of the proxy, what notifications are signed with for the application, of the Redis that pods share, and what the audit is chained with. */
export type TokenFile = 'token' | 'proxy-token' | 'notification-secret' | 'redis-password' | 'audit-key';

/** How an operation ended. The caller's own errors are apart, they never page anybody; so are those of the way to a platform. */
export type Outcome = 'ok' | 'refused' | 'caller-error' | 'not-ready' | 'gateway-error' | 'error';

/**
 * Receives every event, while it happens: it must return soon. It must not throw, and a throw changes nothing that was decided.
 * @example
 * import { type Observe, startPaycert } from 'paycert';
 *
 * const types: string[] = [];
 * const observe: Observe = (event) => {
 *   types.push(event.type);
 *   if (event.type === 'rejected' && event.isNew) console.error(event.credential, event.error.message, event.error.hint);
 * };
 * await using other = await startPaycert(
 *   [{ name: 'bank', provider: { mtls: {} }, source: { files: { path: '/etc/paycert/bank' } } }],
 *   { observe },
 * );
 * console.log(types); // → [ 'credential-added', 'swapped' ]
 */
export type Observe = (event: Event) => void;

/** An observer whose exceptions do not reach the caller: for each of those that are joined into one, and there alone. */
export function isolate(observe: Observe): Observe {
  return (event) => {
    try {
      observe(event);
    } catch {
      // Counting and logging are never a reason to fail a payment; there is nobody left to tell.
    }
  };
}
