// npm run attack: hostile input against the bundle, with figures. --quick: two minutes of it. --only WORDS: one attack by name.
import { parseArgs } from 'node:util';
import { buildBundle } from '../bench/fixture.ts';
import { type Attack, promisedMilliseconds, type Report, type Row } from './attack.ts';
import { largeBodies } from './attacks/bodies.ts';
import { foreign } from './attacks/foreign.ts';
import { forged } from './attacks/forged.ts';
import { lists } from './attacks/lists.ts';
import { lowest } from './attacks/lowest.ts';
import { notifications } from './attacks/notifications.ts';
import { owners } from './attacks/owners.ts';
import { sockets } from './attacks/sockets.ts';
import { strangers } from './attacks/strangers.ts';
import { tenants } from './attacks/tenants.ts';
import { tokens } from './attacks/tokens.ts';
import { limitMemory } from './memory-limit.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});
const attacks: readonly Attack[] = [
  strangers,
  notifications,
  tokens,
  forged,
  largeBodies,
  foreign,
  lists,
  owners,
  sockets,
  lowest,
  tenants,
];

/** By the name of the attack. */
const groups = new Map<string, Row[]>();
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const figure = (value: number | undefined, digits = 0): string => (value === undefined ? '–' : value.toFixed(digits));

const columns = ['hold ms', 'gc ms', 'wait ms', 'MiB', 'calls', 'failed', 'seconds'];
const line = (figures: readonly string[], name: string): string =>
  `${figures.map((one, index) => one.padStart(columns[index]?.length ?? 0)).join('  ')}  ${name}`;

const reportOf = (group: string): Report => ({
  isQuick: values.quick,
  add(row) {
    groups.set(group, [...(groups.get(group) ?? []), row]);
    const { hold, worstMilliseconds: wait, megabytes, calls, failures, seconds } = row;
    const figures = [
      figure(hold?.milliseconds),
      figure(hold?.collecting),
      figure(wait),
      figure(megabytes),
      figure(calls),
      figure(failures),
      figure(seconds, 1),
    ];
    const isLong = hold !== undefined && hold.milliseconds > promisedMilliseconds;
    print(
      line(figures, `${row.name}${row.skipped === undefined ? '' : ` SKIPPED: ${row.skipped}`}${isLong ? ' *' : ''}`),
    );
    for (const one of row.broken) print(`        FAILED: ${one}`);
  },
});

buildBundle();
const limit = limitMemory(64);
limit.remove();
print(
  limit.kind === 'cgroup'
    ? 'memory: limited by a cgroup, as in a pod'
    : 'memory: no cgroup may be made here; the heap is limited, and resident memory is measured',
);
print(`hold: CPU of the main thread in the longest turn of the event loop; * more than ${promisedMilliseconds}`);
print('gc: collection of garbage in that turn, by the clock');
print('wait: of another caller for one signature, by the clock, so that other programs on this machine count');
print(line(columns, 'attack'));
const chosen = attacks.filter(({ name, isQuick }) => name.includes(values.only) && (isQuick || !values.quick));
if (chosen.length === 0) throw new Error(`--only takes a part of: ${attacks.map(({ name }) => name).join(', ')}`);
for (const attack of chosen) {
  print(`-- ${attack.section}. ${attack.name}`);
  await attack.run(reportOf(attack.name));
}
const rows = [...groups.values()].flat();
const failed = rows.filter(({ broken }) => broken.length > 0);
const skipped = rows.filter((row) => row.skipped !== undefined);
const most = (some: readonly Row[], read: (row: Row) => number | undefined): string =>
  figure(Math.max(0, ...some.map((row) => read(row) ?? 0)));
const worst = (some: readonly Row[]): string =>
  `worst hold ${most(some, ({ hold }) => hold?.milliseconds)} ms, worst wait ${most(some, (row) => row.worstMilliseconds)} ms, most memory ${most(some, (row) => row.megabytes)} MiB`;
for (const [group, some] of groups) print(`${worst(some)}: ${group}`);
print(worst(rows));
print(`${rows.length - failed.length - skipped.length} passed, ${skipped.length} skipped, ${failed.length} failed`);
if (failed.length > 0) process.exitCode = 1;
