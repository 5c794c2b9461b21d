// What the end of one attempt says of its platform, to the breaker: that it works, that it fails, or nothing.
import { PaycertError } from '../errors.ts';
import type { Call } from '../store/call.ts';
import type { CallResult } from '../system/breaker.ts';
import type { ReceivedResponse } from './received.ts';

/** A 4xx is the caller's failure, and a probe that the platform sends on purpose is nobody's. */
export function callResultOf(end: PromiseSettledResult<ReceivedResponse>, call: Call): CallResult {
  if (end.status === 'fulfilled') {
    const { status, outcome } = end.value;
    return outcome === 'unknown' && (status < 400 || status >= 500) ? 'failure' : 'success';
  }
  const error: unknown = end.reason;
  if (call.signal.aborted || !(error instanceof PaycertError) || error.kind !== 'gateway') return 'none';
  const { cause } = error;
  return cause instanceof PaycertError && cause.code === 'signature-probe' ? 'success' : 'failure';
}
