// Loads that take turns, so that what is compared was measured within seconds: the machine drifts.
import type { ChildProcess } from 'node:child_process';
import { cpuMilliseconds, type Loads } from './fixture.ts';
import type { Load, LoadResult } from './load.ts';

export interface Target extends Pick<Load, 'socket' | 'path' | 'headers' | 'body'> {
  /** Whose CPU is looked at. */
  readonly program?: ChildProcess;
}

/** `cpu`: of all threads of the program, milliseconds for each answer; NaN where none is looked at. `callersCpu`: of those who ask. */
export type Slice = LoadResult & { readonly cpu: number; readonly callersCpu: number };

/** A slice of each. */
export type Pass<Name extends string> = Readonly<Record<Name, Slice>>;

/** So long each at a time. */
export const sliceMilliseconds = 1000;
/** Of each, before it is measured: V8 compiles for the last time what some thousand calls ran. */
const warmingCalls = 2000;

export async function warm(loads: Loads, target: Target, callers: number): Promise<void> {
  for (let answered = 0; answered < warmingCalls;) answered += (await slice(loads, target, callers)).answers;
}

/** Forth and back, so that a machine that becomes slower favours none. */
export async function inTurn<Name extends string>(
  loads: Loads,
  targets: Readonly<Record<Name, Target>>,
  { callers, passes }: { readonly callers: number; readonly passes: number },
): Promise<readonly Pass<Name>[]> {
  const names = Object.keys(targets) as Name[];
  const each: Pass<Name>[] = [];
  for (let pass = 0; pass < passes; pass += 1) {
    const slices: [Name, Slice][] = [];
    for (const name of pass % 2 === 0 ? names : names.toReversed())
      slices.push([name, await slice(loads, targets[name], callers)]);
    each.push(Object.fromEntries(slices) as Pass<Name>);
  }
  return each;
}

async function slice(loads: Loads, { program, ...target }: Target, callers: number): Promise<Slice> {
  const used = async () => ({
    cpu: program === undefined ? Number.NaN : await cpuMilliseconds(program),
    callersCpu: await cpuMilliseconds(loads.process),
  });
  const before = await used();
  const result = await loads.run({ ...target, callers, milliseconds: sliceMilliseconds });
  const after = await used();
  const each = (of: 'cpu' | 'callersCpu') => (after[of] - before[of]) / result.answers;
  return { ...result, cpu: each('cpu'), callersCpu: each('callersCpu') };
}
