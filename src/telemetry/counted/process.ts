// What is counted about the process itself: bugs, and whether it leads.
import { type CountedRow, one } from './row.ts';

export const processRows = {
  paycert_internal_errors_total: {
    about: 'process',
    type: 'counter',
    help: 'Bugs: unexpected errors, by where they were caught.',
    more: 'Such as `reload`, `config`, `api` or `operator`.',
    labels: ['where'],
    on: { 'internal-error': ({ where }) => one({ where }) },
  },
  paycert_log_lines_dropped_total: {
    about: 'process',
    type: 'counter',
    help: 'Log lines that standard output did not take: its disk is full, or its reader is slow or gone.',
    more: 'Serving continues.',
    labels: [],
    on: { 'lines-dropped': ({ lines }) => ({ value: lines }) },
  },
  paycert_clock_ahead_seconds: {
    about: 'process',
    type: 'gauge',
    help: 'By how many seconds the clock here is ahead of the API server’s, negative behind, to the second.',
    more: 'Of an operator, and of sidecars that read a Secret or follow a resource through the API; compared with each response.',
    labels: [],
    on: { 'clock-compared': ({ aheadSeconds }) => ({ value: aheadSeconds }) },
  },
  paycert_leading: {
    about: 'process',
    type: 'gauge',
    help: 'Whether this process is the one of several that acts (1) or not (0).',
    labels: ['lease'],
    on: { leading: ({ lease, isLeading }) => ({ value: Number(isLeading), lease }) },
  },
} as const satisfies Record<string, CountedRow>;
