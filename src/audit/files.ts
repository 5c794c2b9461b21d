// The files of an audit: their names say where in the chain they begin and when, and the last one says how the chain continues.
import { beginning, type Head, readLine } from './chain.ts';
import type { Disk, Listed } from './disk.ts';

export interface AuditFile extends Listed {
  /** Its first line. */
  readonly firstSeq: number;
  readonly firstAt: Date;
}

const form = /^audit-([0-9]{15})-([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z\.jsonl$/;

export const nameOf = (firstSeq: number, firstAt: Date): string =>
  `audit-${String(firstSeq).padStart(15, '0')}-${firstAt.toISOString().replace(/\.[0-9]+|[-:]/g, '')}.jsonl`;

/** In the order of the chain. What has another name is not ours. */
export function auditFiles(listed: readonly Listed[]): readonly AuditFile[] {
  return listed
    .flatMap((file) => {
      const [, seq, year, month, day, hour, minute, second] = form.exec(file.name) ?? [];
      if (seq === undefined) return [];
      const firstAt = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
      return [{ ...file, firstSeq: Number(seq), firstAt }];
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** More than the longest line, several times. */
const endBytes = 64 * 1024;

export interface Found {
  readonly files: readonly AuditFile[];
  readonly head: Head;
  /** Whether the last file ends with a whole line: after half of one, another file is begun. */
  readonly isWhole: boolean;
}

/** What earlier processes have left. */
export async function findHead(disk: Disk): Promise<Found> {
  const files = auditFiles(await disk.list());
  for (const [index, { name }] of [...files.entries()].reverse()) {
    const end = (await disk.readEnd(name, endBytes)).toString();
    const whole = end.split('\n').slice(0, -1).reverse();
    const last = whole.map(readLine).find((line) => line !== undefined);
    if (last === undefined) continue;
    const isWhole = index === files.length - 1 && end.endsWith('\n');
    return { files, head: { seq: last.seq, hash: last.hash }, isWhole };
  }
  return { files, head: beginning, isWhole: false };
}
