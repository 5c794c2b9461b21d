// Authorizing a request and verifying what was received, each once, for one call: what the operations of a snapshot are made of, and a proxy calls.
import { type ErrorCode, PaycertError, requestInvalid } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { Sent } from '../providers/refusal.ts';
import type { AuthorizedRequest, Moment, Received, RequestToAuthorize, Verified } from '../providers/provider.ts';
import type { Call } from './call.ts';
import { base64In, bytesIn, checked, checkedReceived, type Content } from './input.ts';
import type { Snapshot } from './snapshot.ts';

/** A request to authorize, of which the platform takes its own members: docs/api.md says which. */
export type RequestInput = Omit<RequestToAuthorize, 'body'> & { readonly body?: Content };

/**
 * What a platform sent, exactly as it came; or a message with its signature, in base64 or as bytes. `kind` says whether it is a
 * `response` to a request of yours, a `notification`, or the address that a paying user's browser `return`s to.
 */
export type ReceivedInput =
  | (Omit<Extract<Received, { readonly body: Uint8Array }>, 'body'> & { readonly body: Content })
  | { readonly kind: 'message'; readonly message: Content; readonly signature: Content; readonly keyId: string };

/** The time that an operation takes for now. */
export type At = Partial<Pick<Moment, 'now'>>;

/** Receives each request that was authorized, as it will be sent. */
export type Remember = (call: Call, sent: Sent & { readonly keyId: string }) => void;

/** One signature: of a request that has a method and an address, or of a text. */
export interface SignedRequest {
  readonly keyId: string | undefined;
  readonly generation: number;
  readonly method?: string;
  readonly url?: string;
  /** Of the request; or the whole text. */
  readonly body?: Uint8Array;
}

/** Receives everything that was signed before it is handed out: what it throws is thrown in its place. */
export type Witness = (call: Call, signed: SignedRequest) => Promise<void> | undefined;

export interface UseOptions {
  readonly observe: Observe;
  /** Makes a nonce where the caller gives none. */
  readonly nonce: () => string;
  readonly remember?: Remember | undefined;
  readonly witness?: Witness | undefined;
}

export interface Uses extends UseOptions {
  readonly snapshot: Snapshot;
}

export const momentOf = ({ startedAt }: Call, nonce: () => string, given: Partial<Moment> = {}): Moment => ({
  now: given.now ?? startedAt,
  nonce: given.nonce ?? nonce(),
});

/** As `authorize` of CredentialOperations. */
export async function authorizeOnce(
  { snapshot, nonce, remember, witness }: Uses,
  call: Call,
  given: RequestInput,
  moment?: Partial<Moment>,
): Promise<AuthorizedRequest> {
  const { url = '', body } = checked(given);
  // It is not sent: signed without it, and sent by a client that does not know, it is another address.
  if (url.includes('#')) throw requestInvalid('url', 'has a fragment, which is not sent: write %23 for a # in a value');
  // Some HTTP clients make a header Authorization of it, in place of the one that is signed.
  if (/^https?:\/\/[^/?]*@/i.test(url))
    throw requestInvalid('url', 'has a name or password before its host, which is not signed: leave it out');
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const request = { ...given, ...(bytes && { body: bytes }) } as RequestToAuthorize;
  const authorized = await snapshot.signingFor(call).authorize(request, momentOf(call, nonce, moment), call);
  if (witness === undefined && remember === undefined) return authorized;
  const sent = { ...authorized, body: authorized.body ?? bytes ?? new Uint8Array() };
  await witness?.(call, { ...sent, generation: snapshot.generation });
  remember?.(call, sent);
  return authorized;
}

/** As `verify` of CredentialOperations, and noted by nobody: the caller says with `missed` and `unverified` what became of it. */
export const verifyUnnoted = (snapshot: Snapshot, given: ReceivedInput, now: Date): Promise<Verified> =>
  snapshot.verify(receivedOf(given), now);

/** As `verify` of CredentialOperations. */
export async function verifyOnce(
  { snapshot, observe }: Pick<Uses, 'snapshot' | 'observe'>,
  { credential }: Call,
  given: ReceivedInput,
  now: Date,
): Promise<Verified> {
  const received = receivedOf(given);
  try {
    return await snapshot.verify(received, now);
  } catch (error) {
    refused(observe, credential, { kind: received.kind, error });
    throw error;
  }
}

type Refused = Pick<Received, 'kind'> & { readonly error: unknown };

/** As `unverified`, and as `missed`. */
export function refused(observe: Observe, credential: string, about: Refused): void {
  unverified(observe, credential, about);
  missed(observe, credential, about.error);
}

/** A refusal: somebody forges, or a platform's key is missing here. */
export function unverified(observe: Observe, credential: string, { kind, error }: Refused): void {
  if (isUnverified(error)) observe({ type: 'unverified', credential, kind, error });
}

/** A key that a message names and that is missing here, as `key-missed`: its platform may be asked for it. */
export function missed(observe: Observe, credential: string, error: unknown): void {
  const keyId = missedKeyOf(error);
  if (keyId !== undefined) observe({ type: 'key-missed', credential, keyId });
}

function receivedOf(input: ReceivedInput): Received {
  const given = checkedReceived(input);
  return given.kind === 'message'
    ? { ...given, message: bytesIn(given, 'message'), signature: base64In(given, 'signature') }
    : { ...given, body: bytesIn(given, 'body') };
}

/** A refused signature. A response that the platform never signs is no proof, and nobody's failure. */
const isUnverified = (error: unknown): error is PaycertError =>
  error instanceof PaycertError && error.kind === 'refused' && error.code !== 'response-unsigned';

const keyMissing: ReadonlySet<string> = new Set<ErrorCode>(['key-id-unknown', 'no-platform-key']);

/** The key that a message names, where it is not known, or no key of the platform is valid. */
const missedKeyOf = (error: unknown): string | undefined =>
  error instanceof PaycertError && keyMissing.has(error.code) ? error.keyId : undefined;
