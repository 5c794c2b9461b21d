// The lines of an audit on disk: those of a file, or of a directory in the order of its chain, one at a time.
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { auditFiles } from '../../audit/files.ts';
import { usageError } from '../command.ts';

export interface AuditLine {
  readonly line: string;
  /** File and number, such as `audit-….jsonl:17`. */
  readonly where: string;
  /** Whether a line feed ends it. */
  readonly isWhole: boolean;
}

/** Many times the longest; what has no line feeds at all is given in pieces. */
const maxLineBytes = 1024 * 1024;
const lineFeed = 0x0a;

/** @throws PaycertError `usage` */
export async function* readLines(path: string): AsyncGenerator<AuditLine> {
  for (const file of await filesAt(path)) yield* readFile(file);
}

async function filesAt(path: string): Promise<readonly string[]> {
  const stats = await stat(path).catch(() => {
    throw usageError(`${path} cannot be read`);
  });
  if (!stats.isDirectory()) return [path];
  const names = await readdir(path);
  const files = auditFiles(names.map((name) => ({ name, bytes: 0 })));
  if (files.length === 0) throw usageError(`${path} holds no audit-….jsonl`);
  return files.map(({ name }) => join(path, name));
}

async function* readFile(path: string): AsyncGenerator<AuditLine> {
  let number = 0;
  let rest: Buffer = Buffer.alloc(0);
  const take = (bytes: Buffer, isWhole: boolean): AuditLine => {
    number += 1;
    return { line: bytes.toString(), where: `${basename(path)}:${number}`, isWhole };
  };
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0;
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    for (let end = bytes.indexOf(lineFeed); end !== -1; end = bytes.indexOf(lineFeed, from)) {
      yield take(bytes.subarray(from, end), true);
      from = end + 1;
    }
    rest = bytes.subarray(from);
    if (rest.length < maxLineBytes) continue;
    yield take(rest, true);
    rest = Buffer.alloc(0);
  }
  if (rest.length > 0) yield take(rest, false);
}
