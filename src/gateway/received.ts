// What a platform's response is worth: a success that verifies, an error that is passed on, or nothing that an application may see.
import type { Readable } from 'node:stream';
import { PaycertError } from '../errors.ts';
import {
  type CallOutcome,
  type ForwardedRequest,
  type Forwarding,
  outcomeOfStatus,
  type Refused,
  refusedByStatus,
  type SignedHash,
} from '../providers/forwarding.ts';
import { membersWhere } from '../members.ts';
import type { Call } from '../store/call.ts';
import { refused as observeRefusal } from '../store/one-use.ts';
import type { BufferBudget } from '../system/buffer-budget.ts';
import { cutUnlessHashed } from './hashed-body.ts';
import { prove, type ProveOptions } from './proving.ts';
import type { Incoming } from './receiving.ts';
import { decoded, readWhole } from './response-body.ts';
import { passedOn } from './sendable.ts';

export interface ReceivedResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Uint8Array | Readable;
  /** What was verified for a body that still arrives. */
  readonly signed?: SignedHash['signed'];
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

export interface ReceiveOptions extends ProveOptions {
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
  const hashed = isSuccess && single['content-encoding'] === undefined ? forwarding.signedHash?.({ headers: single }) : undefined; // prettier-ignore
  if (hashed !== undefined) {
    const { signed } = hashed;
    await prove(call, request, { status, ...signed, apiMethod }, options).catch((error: unknown) => {
      body.drop();
      throw unverified(error);
    });
    const refused = (error: PaycertError) => observeRefusal(options.observe, call.credential, { kind: 'response', error }); // prettier-ignore
    return { status, headers, body: cutUnlessHashed(body.stream(), hashed, refused), signed, verified: 'yes', outcome: 'ok' }; // prettier-ignore
  }
  const packed = await readWhole(body, options.budget);
  const isPacked = 'content-encoding' in headers;
  const bytes = isPacked ? await decoded(packed, single['content-encoding']) : packed;
  // Without a copy where there is nothing to leave out.
  const unpacked = isPacked ? membersWhere(headers, (_, name) => name !== 'content-encoding') : headers;
  const response = { status, headers: single, body: bytes, apiMethod };
  const outcome = forwarding.outcomeOf?.(response) ?? outcomeOfStatus(status);
  const refused = outcome === 'ok' ? undefined : (forwarding.refusedBy ?? refusedByStatus)(response);
  const received = { status, headers: unpacked, body: bytes, outcome, ...(refused && { refused }) };
  if (isUnsigned) return { ...received, verified: outcome === 'ok' ? 'none' : 'no' };
  try {
    await prove(call, request, response, options);
    return { ...received, verified: 'yes' };
  } catch (error) {
    if (outcome !== 'ok' && error instanceof PaycertError && error.code === 'response-unsigned')
      return { ...received, verified: 'no' };
    throw unverified(error);
  }
}

/** What an application gets in place of the response. */
function unverified(error: unknown): unknown {
  if (!(error instanceof PaycertError)) return error;
  return new PaycertError('response-unverified', `the platform’s response does not verify (${error.code})`, {
    cause: error,
  });
}

/** @throws PaycertError `gateway-redirected`, for whatever is neither a success nor an error */
export function assertNoRedirect({ status, body }: Incoming): void {
  if (status >= 200 && status < 600 && (status < 300 || status >= 400)) return;
  body.drop();
  throw new PaycertError('gateway-redirected', `the platform responded with ${status}, which no payment API does`);
}

/** A header that is there twice is signed by no platform; its first value counts nowhere. */
export function singles(headers: Incoming['headers']): Readonly<Record<string, string>> {
  for (const name in headers)
    if (typeof headers[name] !== 'string')
      return membersWhere<string | readonly string[], string>(headers, (value) => typeof value === 'string');
  // Nearly always: no copy.
  return headers as Readonly<Record<string, string>>;
}
