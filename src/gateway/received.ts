// What a platform's response is worth: a success that verifies, an error that is passed on, or nothing that an application may see.
import type { Readable } from 'node:stream';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import {
  type CallOutcome,
  type ForwardedRequest,
  type ForwardedResponse,
  type Forwarding,
  outcomeOfStatus,
  type Refused,
  refusedByStatus,
} from '../providers/forwarding.ts';
import { membersWhere } from '../members.ts';
import type { Call } from '../store/call.ts';
import type { Store } from '../store/store.ts';
import { verifyOnce } from '../store/one-use.ts';
import type { BufferBudget } from '../system/buffer-budget.ts';
import { type Ending, signalOf } from './call-end.ts';
import type { Incoming } from './receiving.ts';
import { decoded, readWhole } from './response-body.ts';
import { passedOn } from './sendable.ts';

export interface ReceivedResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array | Readable;
  /** `none`: unsigned by design. `no`: an error that the platform does not sign. */
  readonly verified: 'yes' | 'none' | 'no';
  readonly outcome: CallOutcome;
  /** Why it was refused, where another attempt may change that. */
  readonly refused?: Refused;
}

/** What was called, as far as its response depends on it. */
export interface Called {
  readonly request: ForwardedRequest;
  readonly forwarding: Forwarding;
  readonly apiMethod?: string | undefined;
}

/** Waits for a key that a response names and nobody knows: whether the credential has another set then. */
export type Learn = (credential: string, keyId: string, gone: AbortSignal) => Promise<boolean>;

export interface ReceiveOptions {
  readonly learn?: Learn | undefined;
  /** Aborted when nobody waits for the response any more. */
  readonly end: Ending;
  readonly store: Store;
  /** The time to judge by. */
  readonly now: () => Date;
  readonly observe: Observe;
  readonly budget: BufferBudget;
}

/** @throws PaycertError of kind `gateway` for what no application may see; whatever the body ends with */
export async function receive(
  call: Call,
  { request, forwarding, apiMethod }: Called,
  incoming: Incoming,
  options: ReceiveOptions,
): Promise<ReceivedResponse> {
  const { status, headers: all, body } = incoming;
  const isSuccess = status >= 200 && status < 300;
  assertNoRedirect(incoming);
  const single = singles(all);
  const headers = passedOn(all);
  const isSigned = Object.keys(all).some((name) => name.endsWith('-signature'));
  const isUnsigned = !isSigned && forwarding.isUnsigned(request);
  const isStreamed = isUnsigned && forwarding.readsUnsigned?.(request) !== true;
  if (isSuccess && isStreamed) return { status, headers, body: body.stream(), verified: 'none', outcome: 'ok' };
  const bytes = await decoded(await readWhole(body, options.budget), single['content-encoding']);
  const { 'content-encoding': _, ...unpacked } = headers;
  const response = { status, headers: single, body: bytes, apiMethod };
  const outcome = forwarding.outcomeOf?.(response) ?? outcomeOfStatus(status);
  const refused = outcome === 'ok' ? undefined : (forwarding.refusedBy ?? refusedByStatus)(response);
  const received = { status, headers: unpacked, body: bytes, outcome, ...(refused && { refused }) };
  if (isUnsigned) return { ...received, verified: outcome === 'ok' ? 'none' : 'no' };
  try {
    await verify(call, request, response, options).catch(async (error: unknown) => {
      if (!(await isLearned(error, call, options))) throw error;
      await verify(call, request, response, options);
    });
    return { ...received, verified: 'yes' };
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    if (outcome !== 'ok' && error.code === 'response-unsigned') return { ...received, verified: 'no' };
    throw new PaycertError('response-unverified', `the platform’s response does not verify (${error.code})`, {
      cause: error,
    });
  }
}

/** @throws PaycertError `gateway-redirected`, for whatever is neither a success nor an error */
export function assertNoRedirect({ status, body }: Incoming): void {
  if (status >= 200 && status < 600 && (status < 300 || status >= 400)) return;
  body.drop();
  throw new PaycertError('gateway-redirected', `the platform responded with ${status}, which no payment API does`);
}

/** A platform may begin to sign with a certificate that it tells nobody of, but who asks for it. */
async function isLearned(error: unknown, { credential }: Call, { learn, end }: ReceiveOptions): Promise<boolean> {
  if (learn === undefined || !(error instanceof PaycertError) || error.keyId === undefined) return false;
  return learn(credential, error.keyId, signalOf(end));
}

/** With the snapshot that is current now, and at this time: keys may have been replaced since it was sent. */
async function verify(
  call: Call,
  { method, target }: ForwardedRequest,
  { status, headers, body, apiMethod }: ForwardedResponse,
  { store, now, observe }: ReceiveOptions,
): Promise<void> {
  const received = { kind: 'response', method, url: target, status, headers, body } as const;
  const named = apiMethod === undefined ? received : { ...received, apiMethod };
  await verifyOnce({ snapshot: store.current(call.credential), observe }, call, named, now());
}

/** A header that is there twice is signed by no platform; its first value counts nowhere. */
export const singles = (headers: Incoming['headers']): Record<string, string> =>
  membersWhere<string | readonly string[], string>(headers, (value) => typeof value === 'string');
