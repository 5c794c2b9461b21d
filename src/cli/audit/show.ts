// paycert audit show: lines of an audit that are about something, such as a credential, an order or a time.
import { readLine } from '../../audit/chain.ts';
import { lookupOf } from '../../audit/public-path.ts';
import { milliseconds } from '../../config/defaults.ts';
import { readToken } from '../../config/token.ts';
import { usageError } from '../command.ts';
import { print, printable } from '../table.ts';
import { readLines } from './lines.ts';

export interface ShowOptions {
  readonly path: string;
  /** Members that must have these values. */
  readonly members: Readonly<Record<string, string | undefined>>;
  readonly since: string | undefined;
  readonly until: string | undefined;
  /** A part of a path that the audit shows as a digest only, such as an order number. */
  readonly find: string | undefined;
  readonly keyFiles: readonly string[];
  readonly now: Date;
  readonly isJson: boolean;
}

type Wanted = (record: Readonly<Record<string, unknown>>, line: string) => boolean;

/** @throws PaycertError `usage`, `token-unusable` */
export async function showAudit(options: ShowOptions): Promise<number> {
  const wanted = await wantedBy(options);
  for await (const { line } of readLines(options.path)) {
    const linked = readLine(line);
    if (linked !== undefined && wanted(linked.record, line)) print(options.isJson ? line : describe(linked.record));
  }
  return 0;
}

async function wantedBy({ members, since, until, find, keyFiles, now }: ShowOptions): Promise<Wanted> {
  const [from, to] = [timeOf(since, 'since', now), timeOf(until, 'until', now)];
  if (find !== undefined && keyFiles.length === 0)
    throw usageError('--find needs --key: without a key, an audit has no digest of what it hides');
  const keys =
    find === undefined ? [] : await Promise.all(keyFiles.map((file) => readToken(file, 'audit-key', '--key')));
  const digests = keys.map((key) => lookupOf(find ?? '', key));
  return (record, line) => {
    const at = Date.parse(String(record['time']));
    const isThen = at >= (from?.getTime() ?? -Infinity) && at < (to?.getTime() ?? Infinity);
    const isOf = Object.entries(members).every(([name, value]) => value === undefined || record[name] === value);
    return isThen && isOf && (find === undefined || digests.some((digest) => line.includes(digest)));
  };
}

/** A time, or how long ago. */
function timeOf(text: string | undefined, option: string, now: Date): Date | undefined {
  if (text === undefined) return undefined;
  const time = /^[0-9]{1,7}(ms|s|m|h|d)$/.test(text) ? new Date(now.getTime() - milliseconds(text)) : new Date(text);
  if (Number.isNaN(time.getTime()))
    throw usageError(`--${option} is a time such as 2026-11-27T08:00:00Z, or how long ago, such as 24h`);
  return time;
}

/** Of the chain, and of every line the same. */
const left: ReadonlySet<string> = new Set(['audit', 'time', 'type', 'outcome', 'previous', 'hash']);

function describe(record: Readonly<Record<string, unknown>>): string {
  const more = Object.entries(record)
    .filter(([name]) => !left.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? printable(value) : JSON.stringify(value)}`);
  return [record['time'], record['type'], record['outcome'], ...more].map(String).join(' ');
}
