// What is counted about the audit: whether it is written, what of it is lost, and what was removed too early.
import { type CountedRow, one } from './row.ts';

export const audit = {
  paycert_audit_failing: {
    about: 'audit',
    type: 'gauge',
    help: 'Whether lines of the audit wait because its directory or collector takes none (1) or not (0).',
    more: '0 without `audit`, too. With `onFailure: refuse` nothing is signed meanwhile.',
    labels: [],
    on: { 'audit-failed': () => one(), 'audit-recovered': () => ({ value: 0 }) },
  },
  paycert_audit_incomplete_total: {
    about: 'audit',
    type: 'counter',
    help: 'What of the audit is not there that should be, by reason.',
    more: '`reason`: `lost` (lines that are nowhere, since too many waited for the directory or the collector, or since that refused them), `removed-early` (files that `maxTotalBytes` removed before `retention` allows it).',
    labels: ['reason'],
    on: {
      'audit-lines-lost': ({ lines }) => ({ value: lines, reason: 'lost' }),
      'audit-shortened': ({ files }) => ({ value: files, reason: 'removed-early' }),
    },
  },
} as const satisfies Record<string, CountedRow>;
