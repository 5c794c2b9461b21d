// What is counted about exports to a collector: what it took, and what is lost.
import { type CountedRow, one } from './row.ts';

const signals = '`signal`: `traces` or `logs`.';

export const exportRows = {
  paycert_exported_total: {
    about: 'process',
    type: 'counter',
    help: 'Spans and log records that a collector took, by signal.',
    more: signals,
    labels: ['signal'],
    on: { exported: ({ signal, items }) => ({ value: items, signal }) },
  },
  paycert_export_dropped_total: {
    about: 'process',
    type: 'counter',
    help: 'Spans and log records that no collector has: too many waited, it refused them, or the process ended before.',
    more: signals,
    labels: ['signal'],
    on: { 'export-dropped': ({ signal, items }) => ({ value: items, signal }) },
  },
  paycert_export_failing: {
    about: 'process',
    type: 'gauge',
    help: 'Whether the collector takes nothing now (1) or did when it was last asked (0).',
    more: `${signals} Absent while nothing has failed. No call waits for it.`,
    labels: ['signal'],
    on: {
      'export-failed': ({ signal }) => one({ signal }),
      'export-recovered': ({ signal }) => ({ value: 0, signal }),
    },
  },
} as const satisfies Record<string, CountedRow>;
