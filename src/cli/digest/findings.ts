// What the digest says of credentials: from the conditions that the operator keeps of each, in its words.
import type { PaymentCredential } from '../../operator/resource.ts';

export interface Finding {
  readonly namespace: string;
  readonly name: string;
  /** `now`: alerts of a higher level speak of it too. */
  readonly urgency: 'now' | 'soon';
  /** What it is about, such as `Expiring`. */
  readonly about: string;
  readonly since?: string;
  readonly message: string;
}

export interface Digest {
  readonly at: Date;
  readonly credentials: number;
  /** What is urgent first. */
  readonly findings: readonly Finding[];
}

interface Row {
  readonly status: 'True' | 'False';
  readonly urgency: Finding['urgency'];
}

/** Conditions by what is worth a line. Drift between what is stored and what pods have is `RolledOut`. */
const rows: Readonly<Record<string, Row>> = {
  Ready: { status: 'False', urgency: 'now' },
  Exposed: { status: 'True', urgency: 'now' },
  Overridden: { status: 'True', urgency: 'now' },
  CanaryRejected: { status: 'True', urgency: 'now' },
  Expiring: { status: 'True', urgency: 'soon' },
  TooOld: { status: 'True', urgency: 'soon' },
  Deferred: { status: 'True', urgency: 'soon' },
  RolledOut: { status: 'False', urgency: 'soon' },
};

export function digestOf(resources: readonly PaymentCredential[], at: Date): Digest {
  const findings = resources.flatMap(findingsOf);
  const isUrgent = ({ urgency }: Finding) => Number(urgency !== 'now');
  return { at, credentials: resources.length, findings: findings.sort((a, b) => isUrgent(a) - isUrgent(b)) };
}

function findingsOf({ namespace, name, status }: PaymentCredential): readonly Finding[] {
  const whose = { namespace, name };
  if (status === undefined || status.observedGeneration < 0)
    return [{ ...whose, urgency: 'soon', about: 'Unknown', message: 'The operator has said nothing of it yet.' }];
  const found = status.conditions.flatMap(({ type, status: is, reason, message, lastTransitionTime }): Finding[] => {
    const row = rows[type];
    if (row?.status !== is) return [];
    // Somebody wants it so.
    const urgency = reason === 'Suspended' ? 'soon' : row.urgency;
    return [{ ...whose, urgency, about: type, since: lastTransitionTime, message }];
  });
  const unread = status.accepted?.ignored ?? [];
  if (unread.length === 0) return found;
  const message = `Nothing reads ${unread.join(', ')} of its Secret: misspelled, or of something else.`;
  return [...found, { ...whose, urgency: 'soon', about: 'Unread', message }];
}
