// What the demo shows: a live view on a terminal, one line per event elsewhere.
import type { Outcome } from './rotations.ts';
import type { Counts } from './traffic.ts';
import { daysLeft, paint, print } from '../table.ts';

export interface Facts {
  readonly counts: Counts;
  readonly generation: number;
  readonly keyId: string | undefined;
  readonly notAfter: Date | undefined;
  readonly outcomes: readonly Outcome[];
}

export interface View {
  refresh(facts: Facts, now: Date): void;
  /** Something happened. */
  tell(line: string): void;
  close(): void;
}

export const describeOutcome = ({ title, expected, actual, milliseconds }: Outcome): string => {
  const took = `in ${milliseconds.toFixed(0)} ms`;
  if (actual === undefined) return paint('red', `${title}: nothing happened, ${expected} was expected`);
  if (actual !== expected) return paint('red', `${title}: ${actual}, ${expected} was expected`);
  return actual === 'swapped'
    ? `${title}: ${paint('green', 'current')} ${took}`
    : `${title}: ${paint('yellow', `rejected (${actual})`)} ${took}`;
};

function render({ counts, generation, keyId, notAfter, outcomes }: Facts, now: Date): string {
  const failures = paint(counts.failures === 0 ? 'green' : 'red', String(counts.failures));
  const rejections = outcomes.filter(({ actual }) => actual !== undefined && actual !== 'swapped').length;
  return [
    paint('bold', 'paycert demo: payments continue while keys change'),
    '',
    `  requests    ${counts.requests}`,
    `  failures    ${failures}${counts.lastFailure === undefined ? '' : ` (${counts.lastFailure})`}`,
    `  generation  ${generation}`,
    `  serial      ${keyId ?? '-'}`,
    `  expires in  ${daysLeft(notAfter, now)} days`,
    `  rejections  ${rejections}`,
    '',
    ...outcomes.slice(-6).map((outcome) => `  ${describeOutcome(outcome)}`),
  ].join('\n');
}

// Lines that wrap would not be counted by the way back up: cut off while we draw.
const terminal = {
  hide: '\x1b[?25l\x1b[?7l',
  up: (lines: number) => (lines > 0 ? `\x1b[${lines}A\r` : '\r'),
  clearLine: '\x1b[K',
  show: '\x1b[?25h\x1b[?7h\n',
};

/** Redraws in place, below what was printed before: the lines to paste stay where they are. */
function liveView(): View {
  let drawn = 0;
  process.stdout.write(terminal.hide);
  return {
    refresh(facts, now) {
      const lines = render(facts, now).split('\n');
      process.stdout.write(`${terminal.up(drawn)}${lines.join(`${terminal.clearLine}\n`)}${terminal.clearLine}`);
      drawn = lines.length - 1;
    },
    tell: () => undefined,
    close: () => void process.stdout.write(terminal.show),
  };
}

/** One line per event; what would be redrawn is left to the summary. */
const lineView = (): View => ({
  refresh: () => undefined,
  tell: (line) => print(`${new Date().toISOString().slice(11, 19)} ${line}`),
  close: () => undefined,
});

export const createView = (): View => (process.stdout.isTTY ? liveView() : lineView());
