// The condition Exposed: the Secret has a copy of its keys in an annotation, where people look who look for none. It is there only while it is True.
import { lastAppliedAnnotation } from '../../kube/copies.ts';
import type { PaymentCredential } from '../resource.ts';
import type { Evaluation, Outcome } from './conditions.ts';

export function evaluateExposed(
  { namespace }: PaymentCredential,
  { copiedIn }: Evaluation,
): Readonly<Record<string, Outcome>> {
  if (copiedIn === undefined) return {};
  const { secret, annotations } = copiedIn;
  const isKubectls = annotations.every((name) => name === lastAppliedAnnotation);
  const [where, writers] = isKubectls
    ? ['annotation', 'kubectl apply writes']
    : [annotations.length > 1 ? 'annotations' : 'annotation', 'tools write that apply Secrets'];
  const removals = annotations.map((name) => `${name}-`).join(' ');
  const remedy = isKubectls
    ? 'Then write the Secret with kubectl create, replace, or apply --server-side.'
    : 'Then keep the Secret out of that tool, or write it with kubectl create, replace, or apply --server-side.';
  const message = `Secret "${secret}" has a copy of its keys in the ${where} ${annotations.join(', ')}, which ${writers} and many tools show. Remove it: kubectl -n ${namespace} annotate secret ${secret} ${removals} . ${remedy} Replace the keys if others may have read it.`;
  return { Exposed: { status: 'True', reason: isKubectls ? 'LastAppliedConfiguration' : 'KeysInAnnotation', message } };
}
