// How an application's own requests are forwarded to its platform: which calls, and what is signed in place of its signature.
import type { KeyObject } from 'node:crypto';
import type { KeyFacts, RequestToAuthorize } from './provider.ts';
import type { Refusals } from './refusal.ts';

/** A request as an application sent it, meant for its platform. */
export interface ForwardedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A call that the platform lets be made again with the same parameters, and where it says so. */
export interface Repeatable {
  /** As in `allowed`. */
  readonly call: string;
  readonly source: string;
}

/**
 * What is known of a call after it ended. `ok`: the platform did it, and its response verifies or is unsigned by design.
 * `refused`: it was not done; nothing was sent, or the platform said no. `unknown`: it may have been done; query before you repeat.
 */
export type CallOutcome = 'ok' | 'refused' | 'unknown';

/** Why a platform said no, where another attempt may change that. `busy`: it takes no more calls for now. `signature`: not this one. */
export type Refused = 'busy' | 'signature';

/** What is known of a request before its headers and body are looked at. */
export type Addressed = Pick<ForwardedRequest, 'method' | 'target'>;

/** The hash of a body, and what is verified for it. */
export interface SignedHash {
  readonly algorithm: 'sha1';
  /** Hexadecimal, in lower case. */
  readonly digest: string;
  /** What the platform signed, as a response of its own. */
  readonly signed: Pick<ForwardedResponse, 'headers' | 'body'>;
}

/** What a proxy asks of a platform, for the options of one credential. Pure. */
export interface Forwarding {
  /**
   * What is forwarded unless the configuration says otherwise: a method and a path, or the platform's own name of a call. Either may
   * end with `*`.
   */
  readonly allowed: readonly string[];
  /** By origin, the one beside it that takes the same calls while nobody can connect to that one. */
  readonly spares?: Readonly<Record<string, string>>;
  /** What has no row is never sent twice: no verb of HTTP says that a platform does not act again. */
  readonly repeatable: readonly Repeatable[];
  /**
   * The platform's own name of the call, where it has one: Alipay's `alipay.trade.query`, the `Action` of Aliyun's RPC.
   * @throws PaycertError `request-invalid` where it must have one, and has none
   */
  readonly apiMethodOf?: (request: ForwardedRequest) => string | undefined;
  /**
   * What is to be signed for that origin. What the application signed with is left out; what belongs to another account is refused by
   * name. `keys`: those that the credential has now, and that still count.
   * @throws PaycertError `request-invalid`
   */
  readonly toAuthorize: (request: ForwardedRequest, keys: readonly KeyFacts[], origin: string) => RequestToAuthorize;
  /** Whether the platform signs no response to it, so that one may be passed on while it arrives. */
  readonly isUnsigned: (request: Addressed) => boolean;
  /** Of what is unsigned, that whose outcome stands in the body, so that it is read before it is passed on. Absent: nothing. */
  readonly readsUnsigned?: (request: Addressed) => boolean;
  /** Where a platform signs the hash of a body in place of the body, so that it may be passed on while it arrives. Absent: nowhere. */
  readonly signedHash?: (head: Pick<ForwardedResponse, 'headers'>) => SignedHash | undefined;
  /** Whether the platform asks, in TLS, for the certificate of the credential. Absent: never. */
  readonly showsCertificate?: (request: Addressed) => boolean;
  /** Where the status alone does not say it. A response that was not signed is passed on only where this is not `ok`. */
  readonly outcomeOf?: (response: ForwardedResponse) => CallOutcome;
  /** Of a response that is not `ok`, where the status alone does not say it. `signature` only where it did not act. */
  readonly refusedBy?: (response: ForwardedResponse) => Refused | undefined;
  /** A response that was verified, with another signature in place of the platform's. Absent: it signs none. */
  readonly resign?: (verified: ForwardedResponse, signer: LocalSigner) => Resigned | Promise<Resigned>;
}

/** A throw-away identity, which no platform trusts: an SDK was given its public half, or its secret. */
export interface LocalSigner {
  /** As WeChat Pay names its public keys. */
  readonly keyId: string;
  readonly now: Date;
  readonly nonce: string;
  /** RSASSA-PKCS1-v1_5 with SHA-256. */
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
  /** For a scheme in which both sides sign with one key. */
  readonly secret: KeyObject;
}

export interface Resigned {
  /** In place of those of the same name, in lower case; undefined: without it. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

export interface ForwardedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly apiMethod?: string | undefined;
}

/** A call as patterns are about it. */
export interface NamedCall {
  readonly method: string;
  readonly target: string;
  readonly apiMethod?: string | undefined;
}

/** Whether such a call is one of those patterns. */
export function matchesCall(patterns: readonly string[], { method, target, apiMethod }: NamedCall): boolean {
  const end = target.indexOf('?');
  const name = `${method} ${end < 0 ? target : target.slice(0, end)}`;
  return readPatterns(patterns).some(
    (pattern) => isOne(pattern, name) || (apiMethod !== undefined && isOne(pattern, apiMethod)),
  );
}

interface Pattern {
  /** All of it, or what it begins with. */
  readonly text: string;
  readonly isBeginning: boolean;
}

const isOne = ({ text, isBeginning }: Pattern, name: string): boolean =>
  isBeginning ? name.startsWith(text) : name === text;

/** By their list, which never changes, and is asked at every call. */
const read = new WeakMap<readonly string[], readonly Pattern[]>();

function readPatterns(patterns: readonly string[]): readonly Pattern[] {
  const known = read.get(patterns);
  if (known !== undefined) return known;
  const all = patterns.map((pattern) => {
    const isBeginning = pattern.endsWith('*');
    return { text: isBeginning ? pattern.slice(0, -1) : pattern, isBeginning };
  });
  read.set(patterns, all);
  return all;
}

/** Statuses that say no. 408 and 429 leave open what became of the call; a 5xx does always. */
export function outcomeOfStatus(status: number): CallOutcome {
  if (status >= 200 && status < 300) return 'ok';
  return status >= 400 && status < 500 && status !== 408 && status !== 429 ? 'refused' : 'unknown';
}

/** A 500 often means a wrong key, and an overloaded platform gains nothing by being asked again: it is not among them. */
export function refusedByStatus({ status }: Pick<ForwardedResponse, 'status'>): Refused | undefined {
  if (status === 401) return 'signature';
  return status === 429 || status === 502 || status === 503 ? 'busy' : undefined;
}

/** No error of a platform is longer. */
const maxRefusalBytes = 64 * 1024;

/** By the code in the body, where the status does not say it. */
export function refusedByCode(response: ForwardedResponse, refusals: Refusals, busy: RegExp): Refused | undefined {
  const byStatus = refusedByStatus(response);
  if (byStatus !== undefined || response.body.byteLength > maxRefusalBytes) return byStatus;
  const refusal = refusals.read(parsed(response.body));
  if (refusal === undefined) return undefined;
  if (busy.test(refusal.code)) return 'busy';
  return refusal.about === 'signature' ? 'signature' : undefined;
}

function parsed(body: Uint8Array): object {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
