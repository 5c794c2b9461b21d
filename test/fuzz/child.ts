// One target in a process of its own, so that a crash or a hang ends only it: tells its parent what became of each input.
import process from 'node:process';
import { type TargetName, tryInputs } from './fuzz.ts';

const [name, seed, from, to] = process.argv.slice(2) as [TargetName, string, string, string];
for await (const result of tryInputs(name, seed, Number(from), Number(to))) process.send?.(result);
process.disconnect();
