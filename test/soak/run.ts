// npm run soak: 10,000 swaps under load, with flat memory. --swaps N for fewer; it stops by itself after --minutes.
import { parseArgs } from 'node:util';
import { buildBundle } from '../bench/fixture.ts';
import { soak } from './soak.ts';

const { values } = parseArgs({
  options: {
    swaps: { type: 'string', default: '10000' },
    callers: { type: 'string', default: '32' },
    pause: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '14' },
  },
});

buildBundle();
const print = (line: string) => process.stdout.write(`${line}\n`);
const verdicts = await soak({
  swaps: Number(values.swaps),
  callers: Number(values.callers),
  pause: Number(values.pause),
  milliseconds: Number(values.minutes) * 60_000,
  tell: print,
});
for (const { isMet, what } of verdicts) print(`${isMet ? 'ok  ' : 'FAIL'} ${what}`);
const failed = verdicts.filter(({ isMet }) => !isMet).length;
print(`${verdicts.length - failed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
