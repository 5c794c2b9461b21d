// The condition Exposed: the Secret has a copy of its keys in an annotation, where people look who look for none. It is there only while it is True.
import { lastAppliedAnnotation } from '../labels.ts';
import type { PaymentCredential } from '../resource.ts';
import type { Evaluation, Outcome } from './conditions.ts';

export function evaluateExposed(
  { namespace }: PaymentCredential,
  { copiedIn }: Evaluation,
): Readonly<Record<string, Outcome>> {
  if (copiedIn === undefined) return {};
  const message = `Secret "${copiedIn}" has a copy of its keys in the annotation ${lastAppliedAnnotation}, which kubectl apply writes and many tools show. Remove it: kubectl -n ${namespace} annotate secret ${copiedIn} ${lastAppliedAnnotation}- . Then write the Secret with kubectl create, replace, or apply --server-side. Replace the keys if others may have read it.`;
  return { Exposed: { status: 'True', reason: 'LastAppliedConfiguration', message } };
}
