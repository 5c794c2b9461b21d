// Verifies a response with the keys that are current when it arrives, once more where it names one that has to be fetched first.
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { ForwardedRequest, ForwardedResponse } from '../providers/forwarding.ts';
import type { Call, Ending } from '../store/call.ts';
import { verifyOnce } from '../store/one-use.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Store } from '../store/store.ts';
import { signalOf } from '../store/call-end.ts';

/** Waits for a key that a response names and nobody knows: whether the credential has another set then. */
export type Learn = (credential: string, keyId: string, gone: AbortSignal) => Promise<boolean>;

export interface ProveOptions {
  readonly learn?: Learn | undefined;
  /** Aborted when nobody waits for the response any more. */
  readonly end: Ending;
  readonly store: Store;
  /** The time to judge by. */
  readonly now: () => Date;
  readonly observe: Observe;
}

/** @throws PaycertError `response-unsigned`, or why it does not verify */
export async function prove(
  call: Call,
  request: ForwardedRequest,
  response: ForwardedResponse,
  options: ProveOptions,
): Promise<void> {
  const current = () => options.store.current(call.credential);
  const snapshot = current();
  try {
    await verify(snapshot, call, { request, response }, options);
  } catch (error) {
    if (!(await isLearned(error, snapshot, call, options))) throw error;
    await verify(current(), call, { request, response }, options);
  }
}

/** A platform may begin to sign with a certificate that nobody here knows yet: it is on its way, or has come meanwhile. */
async function isLearned(
  error: unknown,
  snapshot: Snapshot,
  { credential }: Call,
  { learn, end, store }: ProveOptions,
): Promise<boolean> {
  if (!(error instanceof PaycertError) || error.keyId === undefined) return false;
  if (store.current(credential) !== snapshot) return true;
  return learn !== undefined && (await learn(credential, error.keyId, signalOf(end)));
}

interface Exchanged {
  readonly request: ForwardedRequest;
  readonly response: ForwardedResponse;
}

/** At this time: keys may have been replaced since it was sent. */
function verify(
  snapshot: Snapshot,
  call: Call,
  { request: { method, target }, response: { status, headers, body, apiMethod } }: Exchanged,
  { now, observe }: ProveOptions,
): Promise<unknown> {
  const received = { kind: 'response', method, url: target, status, headers, body } as const;
  const named = apiMethod === undefined ? received : { ...received, apiMethod };
  return verifyOnce({ snapshot, observe }, call, named, now());
}
