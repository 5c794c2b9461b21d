// Which files of an audit are removed: those that are older than they must be kept, and the oldest where there is no room for all.
import type { AuditFile } from './files.ts';

export interface Keeping {
  readonly maxFileBytes: number;
  /** Of all files together. */
  readonly maxTotalBytes: number;
  readonly retentionMilliseconds: number;
}

export interface Removal {
  readonly files: readonly AuditFile[];
  /** The last line that is removed. */
  readonly through: number;
  /** Some of it should have been kept longer. */
  readonly isEarly: boolean;
}

/** For their age: a clock that jumps ahead makes no more than these too old, at each new file. */
const mostAtOnce = 2;

/** `closed`: the oldest first; `current` is never removed. */
export function dueRemoval(
  closed: readonly AuditFile[],
  current: Pick<AuditFile, 'firstSeq' | 'firstAt'>,
  now: Date,
  { maxFileBytes, maxTotalBytes, retentionMilliseconds }: Keeping,
): Removal | undefined {
  const followers = [...closed.slice(1), current];
  // Its last line is no older than the first of the file after it.
  const isOld = (index: number) =>
    now.getTime() - (followers[index]?.firstAt ?? now).getTime() >= retentionMilliseconds;
  let total = closed.reduce((sum, { bytes }) => sum + bytes, maxFileBytes);
  let count = 0;
  for (; count < closed.length && total > maxTotalBytes; count += 1) total -= closed[count]?.bytes ?? 0;
  const isEarly = count > 0 && !isOld(count - 1);
  while (count < Math.min(closed.length, mostAtOnce) && isOld(count)) count += 1;
  if (count === 0) return undefined;
  const through = (followers[count - 1]?.firstSeq ?? current.firstSeq) - 1;
  return { files: closed.slice(0, count), through, isEarly };
}
