// The conditions that kstatus knows (Helm, Flux, Argo CD): whether a resource that is not ready gets there by itself. Each is there only while it is True.
import type { PaycertError } from '../../errors.ts';
import { deferredReason } from '../resource.ts';
import { isUnknown, type Outcome } from './conditions.ts';

/**
 * A Secret that is not there yet, cannot be read, or waits for its time, is looked at again until it is ready: Reconciling. What was looked at and is
 * not ready stays so until somebody changes it: Stalled.
 */
export function evaluateProgress(
  { status, reason, message }: Outcome,
  error: PaycertError | undefined,
): Readonly<Record<string, Outcome>> {
  // Nobody finds out here, now or later.
  if (status === 'True' || error?.code === 'not-checked-here') return {};
  const isAwaited = error && (error.code === 'object-missing' || isUnknown(error));
  const comesByItself = reason === deferredReason || (reason !== 'Suspended' && isAwaited);
  return { [comesByItself ? 'Reconciling' : 'Stalled']: { status: 'True', reason, message } };
}
