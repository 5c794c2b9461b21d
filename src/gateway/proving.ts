// Verifies a response with the keys that are current when it arrives, once more where it names one that has to be fetched first.
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { ForwardedRequest, ForwardedResponse } from '../providers/forwarding.ts';
import type { Call, Ending } from '../store/call.ts';
import { missed, type ReceivedInput, unverified, verifyOnce, verifyUnnoted } from '../store/one-use.ts';
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
  const { store, now, observe } = options;
  const { credential } = call;
  const received = receivedFrom(request, response);
  const snapshot = store.current(credential);
  try {
    await verifyUnnoted(snapshot, received, now());
  } catch (error) {
    missed(observe, credential, error);
    // What verifies a moment later has not failed: nobody is paged for it.
    if (!(await isLearned(error, snapshot, call, options))) {
      unverified(observe, credential, { kind: 'response', error });
      throw error;
    }
    await verifyOnce({ snapshot: store.current(credential), observe }, call, received, now());
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

function receivedFrom(
  { method, target }: ForwardedRequest,
  { status, headers, body, apiMethod }: ForwardedResponse,
): ReceivedInput {
  const received = { kind: 'response', method, url: target, status, headers, body } as const;
  return apiMethod === undefined ? received : { ...received, apiMethod };
}
