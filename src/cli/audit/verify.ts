// paycert audit verify: whether every line of an audit is there, in order and as it was written.
import { digestWith, type KnownEnd, numberOf } from '../../audit/chain.ts';
import { type FaultKind, Verification, type Verdict } from '../../audit/verification.ts';
import { readToken } from '../../config/token.ts';
import { usageError } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { paint, print } from '../table.ts';
import { readLines } from './lines.ts';

export interface VerifyOptions {
  /** A file, or a directory of them. */
  readonly path: string;
  readonly keyFiles: readonly string[];
  /** `SEQ:NUMBER`, as the metrics show them. */
  readonly head: string | undefined;
  readonly isJson: boolean;
}

const meanings: Readonly<Record<FaultKind, string>> = {
  unreadable: 'this is not a line of an audit',
  changed: 'this line is not as it was written',
  missing: 'lines before this one are missing',
  again: 'a line with this number was there before: this one was inserted, repeated or moved',
  unlinked: 'this line does not follow the one before it',
  cut: 'the end is cut off: the line that --head names is not there',
  'other-end': 'the line that --head names is another one',
};

/** Exit code 0: all of it is in order. 1: it is not. @throws PaycertError `usage`, `token-unusable` */
export async function verifyAudit({ path, keyFiles, head, isJson }: VerifyOptions): Promise<number> {
  const keys = await Promise.all(keyFiles.map((file) => readToken(file, 'audit-key', '--key')));
  const known = head === undefined ? undefined : readEnd(head);
  const digests = keys.length === 0 ? [digestWith(undefined)] : keys.map(digestWith);
  const verification = new Verification({ digests, known });
  for await (const { line, where, isWhole } of readLines(path))
    if (isWhole) verification.take(line, where);
    else verification.takeHalf(where);
  const verdict = verification.end();
  print(isJson ? JSON.stringify(verdict) : describe(verdict, keys.length > 0));
  return verdict.faults.length > 0 ? exitCodes.refused : 0;
}

function readEnd(text: string): KnownEnd {
  const [, seq, number] = /^([1-9][0-9]{0,14}):([0-9]{1,16})$/.exec(text) ?? [];
  if (seq === undefined)
    throw usageError('--head is SEQ:NUMBER: paycert_audit_seq and paycert_audit_head of one scrape');
  return { seq: Number(seq), number: Number(number) };
}

function describe({ lines, first, last, faults, torn }: Verdict, isKeyed: boolean): string {
  const found = faults.map(({ kind, where, after }) => {
    const place = where === undefined ? '' : `${where}: `;
    return `${paint('red', kind)}: ${place}${meanings[kind]} (the last line in order before it is ${String(after)})`;
  });
  const halves = torn.map((where) => `${where}: half a line, as a process that is killed leaves it`);
  if (last === undefined) return [...found, ...halves, nothingInOrder(faults, isKeyed)].join('\n');
  return [
    ...found,
    ...halves,
    `${String(lines)} lines are in order, from ${String(first)} to ${String(last.seq)} of ${last.time}${isKeyed ? '' : keyless}`,
    `head ${String(last.seq)}:${String(numberOf(last))}`,
  ].join('\n');
}

const keyless = '; without --key, who writes the files could have made them all';

/** Where every line seems to be changed, it is the key that does not fit, more often than all of them. */
function nothingInOrder(faults: Verdict['faults'], isKeyed: boolean): string {
  const isOfAnotherKey = faults.length > 0 && faults.every(({ kind }) => kind === 'changed');
  if (!isOfAnotherKey) return `no line is in order${isKeyed ? '' : keyless}`;
  return `no line is in order: ${isKeyed ? 'is this the key of this audit? --key may be given again' : 'an audit that has a key is verified with --key'}`;
}
