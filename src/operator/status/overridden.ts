// The condition Overridden: what is stored is bad, and its break-glass annotation let it past the review. It is there only while it is True.
import type { PaycertError } from '../../errors.ts';
import { breakGlassAnnotation } from '../labels.ts';
import { type Evaluation, type Outcome, reasonOf } from './conditions.ts';

export function evaluateOverridden(evaluation: Evaluation): Readonly<Record<string, Outcome>> {
  const { breakGlass } = evaluation;
  const fault = faultOf(evaluation);
  if (breakGlass === undefined || fault === undefined) return {};
  const message = `What is stored is bad (${reasonOf(fault)}), and the annotation ${breakGlassAnnotation} let it past the review until ${breakGlass.toISOString()}. Replace it with a Secret that passes, without the annotation.`;
  return { Overridden: { status: 'True', reason: 'BreakGlass', message } };
}

/** For which the review would have refused the Secret. */
function faultOf({ secret, error, moved }: Evaluation): PaycertError | undefined {
  if (moved) return moved;
  if (secret !== undefined) return secret.deferredUntil === undefined ? secret.violations[0] : undefined;
  return error?.kind === 'material' || error?.code === 'labels-invalid' ? error : undefined;
}
