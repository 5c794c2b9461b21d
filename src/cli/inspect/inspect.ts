// paycert inspect: what is this file? Every certificate and key in it, and what WeChat Pay calls it.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readText } from '../../crypto/containers.ts';
import { PaycertError } from '../../errors.ts';
import { readBounded } from '../../system/read-bounded.ts';
import type { Finding } from './finding.ts';
import { findIn } from './findings.ts';
import { date, daysLeft, formatTable, paint, print } from '../table.ts';

export interface InspectOptions {
  readonly merchantId: string | undefined;
  readonly isJson: boolean;
  readonly now: Date;
}

const exitCodes = { source: 75, material: 65 } as const;

/** Exit code 65: something is broken. 75: something cannot be read. What can be shown is shown in any case. */
export async function inspect(paths: readonly string[], options: InspectOptions): Promise<number> {
  const files = (await Promise.all(paths.map((path) => expand(path)))).flat();
  const findings = (await Promise.all(files.map((file) => look(file, options.merchantId)))).flat();
  if (options.isJson) print(JSON.stringify({ findings }, undefined, 2));
  else print(render(findings, options.now));
  const problems = findings.flatMap(({ problem }) => problem ?? []);
  if (problems.some(({ kind }) => kind === 'source')) return exitCodes.source;
  return problems.length > 0 ? exitCodes.material : 0;
}

interface Candidate {
  readonly file: string;
  /** Found in a directory rather than asked for: that it is no key material is no complaint. */
  readonly isListed: boolean;
  readonly error?: PaycertError;
}

function unreadable(path: string, error: unknown): PaycertError {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  return new PaycertError('source-unreadable', `${path} cannot be read (${code})`, { field: path });
}

/** The files of a directory and of those inside it (`platform`, `retired`); kubelet's own names start with a dot. */
async function expand(path: string, depth = 0): Promise<Candidate[]> {
  try {
    const stats = await stat(path);
    if (stats.isFile()) return [{ file: path, isListed: depth > 0 }];
    if (stats.isDirectory() && depth < 2) {
      const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort();
      return (await Promise.all(names.map((name) => expand(join(path, name), depth + 1)))).flat();
    }
    if (depth > 0) return [];
    // A pipe or a device would be read for ever.
    throw new PaycertError('source-unreadable', `${path} is neither a file nor a directory`, { field: path });
  } catch (error) {
    const known = error instanceof PaycertError ? error : unreadable(path, error);
    return [{ file: path, isListed: depth > 0, error: known }];
  }
}

async function look({ file, isListed, error }: Candidate, merchantId: string | undefined): Promise<Finding[]> {
  if (error !== undefined) return [explain(file, error)];
  let bytes: Uint8Array;
  try {
    ({ bytes } = await readBounded(file));
  } catch (cause) {
    return [explain(file, unreadable(file, cause))];
  }
  try {
    // As a sidecar reads it: what stands beside the container, else the merchant id.
    const password = await readBounded(`${file}.password`).then(
      (content) => readText(content.bytes),
      () => merchantId,
    );
    return await findIn({ file, bytes, password, isListed });
  } catch (cause) {
    if (!(cause instanceof PaycertError)) throw cause;
    return [explain(file, cause)];
  }
}

const explain = (file: string, { code, kind, message, hint }: PaycertError): Finding => ({
  file,
  what: 'unusable',
  problem: { code, kind, detail: message, hint },
});

function render(findings: readonly Finding[], now: Date): string {
  const rows = findings
    .filter(({ problem }) => problem === undefined)
    .map(({ file, what, keyId = '-', algorithm = '-', issuer = '-', notBefore, notAfter }) => {
      const days = notBefore ? daysLeft(notAfter, now) : '-';
      return [file, what, keyId, algorithm, date(notBefore), date(notAfter), days, issuer];
    });
  const header = ['FILE', 'WHAT', 'KEY ID', 'ALGORITHM', 'NOT BEFORE', 'NOT AFTER', 'DAYS LEFT', 'ISSUER'];
  const problems = findings.flatMap(({ problem }) =>
    problem === undefined ? [] : [`${paint('red', 'error:')} ${problem.detail} (${problem.code}). ${problem.hint}`],
  );
  const table = rows.length > 0 ? [formatTable(header, rows)] : [];
  return findings.length === 0 ? 'no files' : [...table, ...problems].join('\n');
}
