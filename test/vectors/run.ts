// Runs known answers against the product: npm run test:vectors. Of the folder given, else of others', which PAYCERT_VECTORS names.
import { join, relative } from 'node:path';
import { situationsOf } from './expand.ts';
import { Findings, Unusable } from './findings.ts';
import { type Checker, checkerOf, protocols } from './kinds.ts';
import { findVectorFiles, isFolder, readVectors, type Vector } from './read.ts';

type Outcome = 'passed' | 'failed' | 'shape unknown';
interface Checked {
  readonly outcome: Outcome;
  readonly reasons: readonly string[];
  readonly unasserted: readonly string[];
}

const failed = (...reasons: string[]): Checked => ({ outcome: 'failed', reasons, unasserted: [] });
/** Says nothing about the product: the runner does not read what its source wrote. */
const unknown = (...reasons: string[]): Checked => ({ outcome: 'shape unknown', reasons, unasserted: [] });

/** Our own messages hold no values; those of others may quote their input, so only the name and place are told. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'something was thrown';
  const code = 'code' in error ? ` ${String(error.code)}` : '';
  const place =
    /\b((?:src|test)\/[\w./-]+:\d+)/.exec(error.stack?.replace(error.message, '') ?? '')?.[1] ?? 'unknown place';
  return `crashed: ${error.name}${code} at ${place}`;
}

/** What is wrong with the product fails before what is unread: the first is not hidden behind the second. */
async function findOut(vector: Vector, checker: Checker): Promise<Checked> {
  const findings = new Findings(vector);
  const unread: string[] = [];
  try {
    for (const situation of situationsOf(vector, findings)) {
      const before = findings.asserted;
      await checker(situation);
      if (findings.asserted === before) unread.push(`${situation.label} nothing that is expected was asserted`.trim());
    }
  } catch (error) {
    if (error instanceof Unusable) unread.push(error.message);
    else findings.fail('', describe(error));
  }
  const { failures, unasserted } = findings;
  if (failures.length > 0) return failed(...failures, ...unread);
  return unread.length > 0 ? unknown(...unread) : { outcome: 'passed', reasons: [], unasserted };
}

async function check(vector: Vector): Promise<Checked> {
  const { protocol, kind } = vector;
  const rows = Object.hasOwn(protocols, protocol) ? protocols[protocol] : undefined;
  if (rows === undefined) return unknown(`unknown protocol "${protocol}"`);
  const checker = checkerOf(rows, kind);
  return checker === undefined ? unknown(`unknown kind "${kind}"`) : findOut(vector, checker);
}

/** What there is none of is said of failures alone. */
const sumUp = (row: Record<Outcome, number>, width = 0): string =>
  Object.entries(row)
    .filter(([outcome, n]) => n > 0 || outcome !== 'shape unknown')
    .map(([outcome, n]) => `${String(n).padStart(width)} ${outcome}`)
    .join(', ');

async function main(folder: string): Promise<boolean> {
  if (!isFolder(folder)) {
    console.log(`There is no folder ${folder}: put the vectors there, or name their folder in PAYCERT_VECTORS.`);
    return false;
  }
  const counts = new Map<string, Record<Outcome, number>>();
  const total = { passed: 0, failed: 0, 'shape unknown': 0 };
  let unassertedExpectations = 0;
  const count = (protocol: string, outcome: Outcome): void => {
    const row = counts.get(protocol) ?? { passed: 0, failed: 0, 'shape unknown': 0 };
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
      const { outcome, reasons, unasserted } = await check(vector);
      count(vector.protocol, outcome);
      const title = `${name} ${vector.id} (${vector.protocol}, ${vector.kind})`;
      for (const reason of reasons) console.log(`${outcome.toUpperCase()} ${title}: ${reason}`);
      if (unasserted.length > 0) console.log(`note: ${title}: not asserted: ${unasserted.join(', ')}`);
      unassertedExpectations += unasserted.length;
    }
  }
  for (const [protocol, row] of [...counts].sort(([a], [b]) => a.localeCompare(b))) {
    console.log(`${protocol.padEnd(20)}${sumUp(row, 3)}`);
  }
  if (unassertedExpectations > 0) console.log(`${unassertedExpectations} expectations were not asserted (notes above)`);
  if (total.passed + total.failed + total['shape unknown'] === 0)
    console.log(`No vector under ${folder} was checked: nothing is proven.`);
  console.log(`\n${sumUp(total)}`);
  return total.failed + total['shape unknown'] === 0 && total.passed > 0;
}

const given = process.argv[2] ?? process.env['PAYCERT_VECTORS'];
const beside = join(import.meta.dirname, '..', '..', '..', 'shared', 'vectors');
if (given === undefined && !isFolder(beside)) {
  // They are not ours to ship: a clone without them is whole. A folder that somebody named must be there.
  console.log(
    'PAYCERT_VECTORS is not set: it names a folder with a vectors.json per source, recorded from the tests of public SDKs as CONTRIBUTING.md ("Known answers") shows. Nothing was checked but our own.',
  );
} else process.exitCode = (await main(given ?? beside)) ? 0 : 1;
