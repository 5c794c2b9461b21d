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
import { limitMemory } from './memory-limit.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});
const attacks: readonly Attack[] = [
  strangers,
  notifications,
  forged,
  largeBodies,
  foreign,
  lists,
  owners,
  sockets,
  lowest,
  tenants,
];

const rows: Row[] = [];
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const figure = (value: number | undefined, digits = 0): string => (value === undefined ? '–' : value.toFixed(digits));

const columns = ['hold ms', 'wait ms', 'MiB', 'calls', 'failed', 'seconds'];
const line = (figures: readonly string[], name: string): string =>
  `${figures.map((one, index) => one.padStart(columns[index]?.length ?? 0)).join('  ')}  ${name}`;

const report: Report = {
  isQuick: values.quick,
  add(row) {
    rows.push(row);
    const { worstHoldMilliseconds: hold, worstMilliseconds: wait, megabytes, calls, failures, seconds } = row;
    const figures = [
      figure(hold),
      figure(wait),
      figure(megabytes),
      figure(calls),
      figure(failures),
      figure(seconds, 1),
    ];
    const isLong = hold !== undefined && hold > promisedMilliseconds;
    print(
      line(figures, `${row.name}${row.skipped === undefined ? '' : ` SKIPPED: ${row.skipped}`}${isLong ? ' *' : ''}`),
    );
    for (const one of row.broken) print(`        FAILED: ${one}`);
  },
};

buildBundle();
const limit = limitMemory(64);
limit.remove();
print(
  limit.kind === 'cgroup'
    ? 'memory: limited by a cgroup, as in a pod'
    : 'memory: no cgroup may be made here; the heap is limited, and resident memory is measured',
);
print(
  `hold: CPU of the main thread while another caller waited for one signature; * more than ${promisedMilliseconds}`,
);
print('wait: by the clock, so that other programs on this machine count');
print(line(columns, 'attack'));
const chosen = attacks.filter(({ name, isQuick }) => name.includes(values.only) && (isQuick || !values.quick));
if (chosen.length === 0) throw new Error(`--only takes a part of: ${attacks.map(({ name }) => name).join(', ')}`);
for (const attack of chosen) {
  print(`-- ${attack.section}. ${attack.name}`);
  await attack.run(report);
}
const failed = rows.filter(({ broken }) => broken.length > 0);
const skipped = rows.filter((row) => row.skipped !== undefined);
const worst = (read: (row: Row) => number | undefined): string =>
  figure(Math.max(0, ...rows.map((row) => read(row) ?? 0)));
print(
  `worst hold ${worst((row) => row.worstHoldMilliseconds)} ms, worst wait ${worst((row) => row.worstMilliseconds)} ms, most memory ${worst((row) => row.megabytes)} MiB`,
);
print(`${rows.length - failed.length - skipped.length} passed, ${skipped.length} skipped, ${failed.length} failed`);
if (failed.length > 0) process.exitCode = 1;
