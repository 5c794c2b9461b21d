// paycert inspect: what is this file? Every certificate and key in it, which of them belong together, and what is wrong with them.
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { readText } from '../../crypto/text.ts';
import { PaycertError } from '../../errors.ts';
import { platforms } from '../../providers/registry.ts';
import { readBounded } from '../../system/read-bounded.ts';
import type { Finding } from './finding.ts';
import { findIn } from './findings.ts';
import { evaluateTogether } from './together.ts';
import { exitCodes } from '../exit-codes.ts';
import { readAll } from '../input.ts';
import { readableName } from '../file-names.ts';
import { date, daysLeft, paint, print, wrap } from '../table.ts';

export interface InspectOptions {
  readonly merchantId: string | undefined;
  readonly isJson: boolean;
  readonly now: Date;
}

const standardInput = '-';

/** Exit code 65: something is broken. 75: something cannot be read. What can be shown is shown in any case. */
export async function inspect(paths: readonly string[], options: InspectOptions): Promise<number> {
  const findings = await findAll(paths, options);
  const { isJson, now } = options;
  print(isJson ? JSON.stringify({ findings: findings.map(withoutPublicKey) }, undefined, 2) : render(findings, now));
  const problems = findings.flatMap(({ problem }) => problem ?? []);
  if (problems.some(({ kind }) => kind === 'source')) return exitCodes.source;
  return problems.length > 0 ? exitCodes.material : 0;
}

export async function findAll(
  paths: readonly string[],
  options: Pick<InspectOptions, 'merchantId' | 'now'>,
): Promise<readonly Finding[]> {
  return withPairs((await Promise.all(paths.map((path) => inspectPath(path, options)))).flat());
}

/** One file; or what a directory holds, each file by itself and then all of them as a sidecar would check them. */
async function inspectPath(
  path: string,
  { merchantId, now }: Pick<InspectOptions, 'merchantId' | 'now'>,
): Promise<readonly Finding[]> {
  const candidates = await expand(path);
  const contents = await Promise.all(candidates.map(read));
  const isDirectory = candidates.some(({ isListed }) => isListed);
  const files = new Map(
    contents.flatMap(({ file, bytes }) => (bytes === undefined ? [] : [[relative(path, file), bytes] as const])),
  );
  const told = { merchantId };
  const known = merchantId ?? (isDirectory ? await merchantIn(files) : undefined);
  const single = (await Promise.all(contents.map((one) => look(one, known)))).flat();
  if (!isDirectory) return single;
  const together = await evaluateTogether(files, told, now);
  // Of one file, the words of its platform count.
  const evaluated = new Set(together.map(({ field = '' }) => join(path, field)));
  return [
    ...single.filter(({ file, problem }) => problem === undefined || !evaluated.has(file)),
    ...together.map((error) => explain(error.field === undefined ? path : join(path, error.field), error)),
  ];
}

/** The merchant whose certificate is there: its id opens the container beside it. */
async function merchantIn(files: ReadonlyMap<string, Uint8Array>): Promise<string | undefined> {
  const drafted = await platforms.wechatpay.draft?.(files, {}).catch((error: unknown) => {
    if (error instanceof PaycertError) return undefined;
    throw error;
  });
  return drafted?.label;
}

const kindOf = ({ what }: Finding): string => /^(?:private|public) key/.exec(what)?.[0] ?? 'certificate';

/** Each certificate and key with the files that hold the other half of its pair. */
function withPairs(findings: readonly Finding[]): readonly Finding[] {
  return findings.map((finding) => {
    const others = findings.filter(
      ({ file, publicKey, ...other }) =>
        publicKey !== undefined &&
        publicKey === finding.publicKey &&
        file !== finding.file &&
        kindOf({ file, ...other }) !== kindOf(finding),
    );
    const belongsTo = [...new Set(others.map(({ file }) => file))];
    return belongsTo.length > 0 ? { ...finding, belongsTo } : finding;
  });
}

const withoutPublicKey = ({ publicKey: _, ...finding }: Finding): Finding => finding;

interface Candidate {
  /** For people. */
  readonly file: string;
  /** Its name may be of another code page. */
  readonly path: Buffer;
  /** Found in a directory rather than asked for: that it is no key material is no complaint. */
  readonly isListed: boolean;
  readonly error?: PaycertError;
}

function unreadable(path: string, error: unknown): PaycertError {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  return new PaycertError('source-unreadable', `${path} cannot be read (${code})`, { field: path });
}

/** The files of a directory and of those inside it (`platform`, `retired`); kubelet's own names start with a dot. */
async function expand(file: string, path = Buffer.from(file), depth = 0): Promise<Candidate[]> {
  if (file === standardInput) return [{ file, path, isListed: false }];
  try {
    const stats = await stat(path);
    if (stats.isFile()) return [{ file, path, isListed: depth > 0 }];
    if (stats.isDirectory() && depth < 2) {
      const names = (await readdir(path, { encoding: 'buffer' })).filter((name) => name[0] !== 0x2e);
      const inside = names
        .sort((a, b) => Buffer.compare(a, b))
        .map((name) => {
          const at = Buffer.concat([path, Buffer.from('/'), name]);
          return expand(join(file, readableName(name)), at, depth + 1);
        });
      return (await Promise.all(inside)).flat();
    }
    if (depth > 0) return [];
    // A pipe or a device would be read for ever.
    throw new PaycertError('source-unreadable', `${file} is neither a file nor a directory`, { field: file });
  } catch (error) {
    const known = error instanceof PaycertError ? error : unreadable(file, error);
    return [{ file, path, isListed: depth > 0, error: known }];
  }
}

interface Content extends Candidate {
  readonly bytes?: Uint8Array;
}

async function read(candidate: Candidate): Promise<Content> {
  const { file, path, error } = candidate;
  if (error !== undefined) return candidate;
  if (file === standardInput) return { ...candidate, bytes: await readAll(process.stdin) };
  try {
    return { ...candidate, bytes: (await readBounded(path)).bytes };
  } catch (cause) {
    return { ...candidate, error: unreadable(file, cause) };
  }
}

async function look(
  { file, path, isListed, bytes, error }: Content,
  merchantId: string | undefined,
): Promise<Finding[]> {
  if (error !== undefined) return [explain(file, error)];
  try {
    // As a sidecar reads it: what stands beside the container, else the merchant id.
    const password = await readBounded(Buffer.concat([path, Buffer.from('.password')])).then(
      (content) => readText(content.bytes),
      () => merchantId,
    );
    return await findIn({ file, bytes: bytes ?? new Uint8Array(), password, isListed });
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

/** A block for each, in at most 100 columns: a serial number and an issuer in one row of a table take twice as many. */
function render(findings: readonly Finding[], now: Date): string {
  const blocks = findings.filter(({ problem }) => problem === undefined).map((finding) => renderOne(finding, now));
  const problems = findings.flatMap(({ problem }) =>
    problem === undefined
      ? []
      : [wrap(`${paint('red', 'error:')} ${problem.detail} (${problem.code}). ${problem.hint}`, '', '  ')],
  );
  return findings.length === 0 ? 'no files' : [...blocks, ...problems].join('\n');
}

function renderOne(
  { file, what, keyId, algorithm, issuer, notBefore, notAfter, belongsTo = [] }: Finding,
  now: Date,
): string {
  const row = (label: string, text: string) => wrap(text, `  ${label.padEnd(10)} `, ' '.repeat(13));
  const days = daysLeft(notAfter, now);
  const left = days.startsWith('-') ? `ended ${days.slice(1)} days ago` : `${days} days left`;
  return [
    paint('bold', file),
    wrap(what, '  '),
    ...(keyId === undefined ? [] : [row('key id', keyId)]),
    ...(algorithm === undefined ? [] : [row('algorithm', algorithm)]),
    ...(notBefore && notAfter ? [row('valid', `${date(notBefore)} to ${date(notAfter)}, ${left}`)] : []),
    ...(issuer === undefined ? [] : [row('issuer', issuer)]),
    ...(belongsTo.length > 0 ? [row('pairs with', belongsTo.join(', '))] : []),
  ].join('\n');
}
