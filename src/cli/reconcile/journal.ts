// What earlier runs have asked and found out, in a file of lines: a run that was ended continues where it was.
import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Reconciled } from '../../reconcile/reconcile.ts';
import { usageError } from '../command.ts';

export interface Journal {
  /** Orders whose state is final. */
  readonly settled: ReadonlySet<string>;
  /** When the others were asked for first. */
  readonly firstAt: ReadonlyMap<string, Date>;
  note(reconciled: Pick<Reconciled, 'order' | 'firstAt' | 'isFinal'>): void;
}

/** @throws PaycertError `usage` */
export async function openJournal(path: string | undefined): Promise<Journal> {
  const settled = new Set<string>();
  const firstAt = new Map<string, Date>();
  for (const line of await linesOf(path)) {
    const { order, first, final } = parsed(line);
    const at = new Date(String(first));
    if (typeof order !== 'string' || Number.isNaN(at.getTime())) continue;
    if (!firstAt.has(order)) firstAt.set(order, at);
    if (final === true) settled.add(order);
  }
  return {
    ...{ settled, firstAt },
    note({ order, firstAt: first, isFinal }) {
      // Whole lines, one at a time: a process that is killed leaves half of the last one, which is read over.
      if (path !== undefined) appendFileSync(path, `${JSON.stringify({ order, first, final: isFinal })}\n`);
    },
  };
}

async function linesOf(path: string | undefined): Promise<readonly string[]> {
  if (path === undefined) return [];
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw usageError(`${path} cannot be read`);
  });
  return text.split('\n');
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(line)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
