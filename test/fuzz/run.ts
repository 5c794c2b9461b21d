// npm run fuzz: mutated inputs by the hundred thousand. --seed S --only TARGET --at INDEX tries one of them again.
import { fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../../src/cli/table.ts';
import { afterOwnTime } from '../attack/patience.ts';
import { type Result, Tally, type TargetName, targetNames, targets, tryInputs } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(randomInt(1_000_000_000)) },
    only: { type: 'string' },
    at: { type: 'string' },
  },
});
const { seed } = values;
const chosen = targetNames.filter((name) => values.only === undefined || values.only === name);
if (chosen.length === 0) throw new Error(`--only takes one of: ${targetNames.join(', ')}`);

/** A child that is silent for so long hangs: it makes the corpus in a tenth of it. Time in which it has no core is not counted. */
const silenceMilliseconds = 60_000;
const sideBySide = 2;
const shownFailures = 20;

/** Runs a child from that input on; resolves with why it ended early, if it did. */
function runChild(
  name: TargetName,
  from: number,
  to: number,
  tell: (result: Result) => void,
): Promise<string | undefined> {
  const child = fork(join(import.meta.dirname, 'child.ts'), [name, seed, String(from), String(to)]);
  let isHanging = false;
  const watch = () =>
    afterOwnTime(silenceMilliseconds, child.pid ?? 0, () => {
      isHanging = true;
      child.kill('SIGKILL');
    });
  let stopWatch = watch();
  child.on('message', (result: Result) => {
    stopWatch();
    stopWatch = watch();
    tell(result);
  });
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      stopWatch();
      if (code === 0) resolve(undefined);
      else resolve(isHanging ? 'it hangs' : `the process ended (${signal ?? String(code)})`);
    });
  });
}

/** Every input of a target; after a crash the next process goes on behind the input that caused it. */
async function runTarget(name: TargetName, count: number): Promise<Tally> {
  const tally = new Tally();
  while (tally.inputs < count) {
    const reason = await runChild(name, tally.inputs, count, (result) => tally.add(result));
    if (reason !== undefined) tally.add({ index: tally.inputs, milliseconds: 0, fate: 'failed', reason });
  }
  return tally;
}

async function runAll(): Promise<Map<TargetName, Tally>> {
  const shares = chosen.reduce((sum, name) => sum + targets[name].share, 0);
  const countOf = (name: TargetName) => Math.ceil((Number(values.inputs) * targets[name].share) / shares);
  const tallies = new Map<TargetName, Tally>();
  const waiting = [...chosen];
  const lane = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      tallies.set(name, await runTarget(name, countOf(name)));
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, lane));
  return tallies;
}

async function runOne(name: TargetName, index: number): Promise<Map<TargetName, Tally>> {
  const tally = new Tally();
  for await (const result of tryInputs(name, seed, index, index + 1)) tally.add(result);
  return new Map([[name, tally]]);
}

function report(tallies: ReadonlyMap<TargetName, Tally>): number {
  const sum = new Tally();
  const rows: string[][] = [];
  for (const name of chosen) {
    const { inputs, accepted, refused, failures, slowest } = tallies.get(name) ?? new Tally();
    for (const { index, reason = '' } of failures.slice(0, shownFailures)) {
      process.stdout.write(`FAILED: --seed ${seed} --only ${name} --at ${index}\n${reason}\n\n`);
    }
    const worst = `${slowest.milliseconds.toFixed(0)} ms of CPU (at ${slowest.index})`;
    rows.push([name, ...[inputs, accepted, refused, failures.length].map(String), worst]);
    sum.inputs += inputs;
    sum.failures.push(...failures);
  }
  process.stdout.write(`${formatTable(['TARGET', 'INPUTS', 'ACCEPTED', 'REFUSED', 'FAILED', 'SLOWEST'], rows)}\n`);
  process.stdout.write(`seed ${seed}\n${sum.inputs - sum.failures.length} passed, ${sum.failures.length} failed\n`);
  return sum.failures.length;
}

process.stdout.write(`seed ${seed}\n`);
const [first] = chosen;
const isOne = values.at !== undefined && values.only !== undefined && first !== undefined;
const tallies = isOne ? await runOne(first, Number(values.at)) : await runAll();
if (report(tallies) > 0) process.exitCode = 1;
