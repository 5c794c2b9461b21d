// Runs known answers that others published against the product: npm run test:vectors. PAYCERT_VECTORS names their folder.
import { join, relative } from 'node:path';
import { situationsOf } from './expand.ts';
import { Findings, Unusable } from './findings.ts';
import { type Checker, protocols } from './kinds.ts';
import { findVectorFiles, isFolder, readVectors, type Vector } from './read.ts';

type Outcome = 'passed' | 'failed';
interface Checked {
  readonly outcome: Outcome;
  readonly reasons: readonly string[];
  readonly unseen: readonly string[];
}

const failed = (...reasons: string[]): Checked => ({ outcome: 'failed', reasons, unseen: [] });

/** Our own messages hold no values; those of others may quote their input, so only the name and place are told. */
function describe(error: unknown): string {
  if (error instanceof Unusable) return error.message;
  if (!(error instanceof Error)) return 'something was thrown';
  const code = 'code' in error ? ` ${String(error.code)}` : '';
  const place =
    /\b((?:src|test)\/[\w./-]+:\d+)/.exec(error.stack?.replace(error.message, '') ?? '')?.[1] ?? 'unknown place';
  return `crashed: ${error.name}${code} at ${place}`;
}

async function findOut(vector: Vector, checker: Checker): Promise<Findings> {
  const findings = new Findings(vector);
  try {
    for (const situation of situationsOf(vector, findings)) {
      const before = findings.asserted;
      await checker(situation);
      if (findings.asserted === before) findings.fail(situation.label, 'nothing that is expected was asserted');
    }
  } catch (error) {
    findings.fail('', describe(error));
  }
  return findings;
}

async function check(vector: Vector): Promise<Checked> {
  const { protocol, kind } = vector;
  const rows = Object.hasOwn(protocols, protocol) ? protocols[protocol] : undefined;
  if (rows === undefined) return failed(`unknown protocol "${protocol}"`);
  const checker = rows.find(([pattern]) => pattern.test(kind))?.[1];
  if (checker === undefined) return failed(`unknown kind "${kind}"`);
  const { failures, unseen } = await findOut(vector, checker);
  return failures.length > 0 ? failed(...failures) : { outcome: 'passed', reasons: [], unseen };
}

async function main(folder: string): Promise<boolean> {
  if (!isFolder(folder)) {
    console.log(`There is no folder ${folder}: put the vectors there, or name their folder in PAYCERT_VECTORS.`);
    return false;
  }
  const counts = new Map<string, Record<Outcome, number>>();
  const total = { passed: 0, failed: 0 };
  const count = (protocol: string, outcome: Outcome): void => {
    const row = counts.get(protocol) ?? { passed: 0, failed: 0 };
    row[outcome] += 1;
    total[outcome] += 1;
    counts.set(protocol, row);
  };
  for (const file of findVectorFiles(folder)) {
    const name = relative(folder, file);
    const vectors = readVectors(file);
    if (typeof vectors === 'string') {
      console.log(`FAILED ${name}: ${vectors}`);
      count('(unreadable)', 'failed');
      continue;
    }
    for (const vector of vectors) {
      const { outcome, reasons, unseen } = await check(vector);
      count(vector.protocol, outcome);
      const title = `${name} ${vector.id} (${vector.protocol}, ${vector.kind})`;
      for (const reason of reasons) console.log(`FAILED ${title}: ${reason}`);
      if (unseen.length > 0) console.log(`note: ${title}: not looked at: ${unseen.join(', ')}`);
    }
  }
  for (const [protocol, row] of [...counts].sort(([a], [b]) => a.localeCompare(b))) {
    const columns = Object.entries(row).map(([outcome, n]) => `${String(n).padStart(3)} ${outcome}`);
    console.log(`${protocol.padEnd(20)}${columns.join(', ')}`);
  }
  if (total.passed + total.failed === 0) console.log(`No vector under ${folder} was checked: nothing is proven.`);
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 && total.passed > 0;
}

const named = process.env['PAYCERT_VECTORS'];
const beside = join(import.meta.dirname, '..', '..', '..', 'shared', 'vectors');
if (named === undefined && !isFolder(beside)) {
  // They are not ours to ship: a clone without them is whole. A folder that somebody named must be there.
  console.log(
    'No vectors beside this clone (../shared/vectors): name their folder in PAYCERT_VECTORS. Nothing was checked.',
  );
} else process.exitCode = (await main(named ?? beside)) ? 0 : 1;
