// The end of the audit as metrics: who keeps them notices when lines are cut off.
import type { MetricRow } from './counted/row.ts';
import type { Sample } from './fact-gauge.ts';

/** The last line: its number in the chain, and the beginning of its digest as a number. */
export interface AuditHead {
  readonly seq: number;
  readonly number: number;
}

interface AuditGauge extends MetricRow {
  readonly read: (head: AuditHead) => readonly Sample[];
}

export const auditGauges: Readonly<Record<string, AuditGauge>> = {
  paycert_audit_seq: {
    about: 'audit',
    help: 'The number of the last line of the audit.',
    more: 'Absent without `audit`.',
    labels: [],
    read: ({ seq }) => [{ value: seq }],
  },
  paycert_audit_head: {
    about: 'audit',
    help: 'The first 52 bits of the digest of the last line of the audit, as a number.',
    more: 'With `paycert_audit_seq`, as of one moment: `paycert audit verify --head SEQ:NUMBER` finds that an end was cut off.',
    labels: [],
    read: ({ number }) => [{ value: number }],
  },
};
