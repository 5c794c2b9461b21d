// What outlives the collections of young garbage although it is over: a part of the heap that grows until all garbage is collected.
import { setImmediate as settle } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';
import { openCollector } from '../../src/system/collector.ts';

const oldBytes = () =>
  getHeapSpaceStatistics()
    .filter(({ space_name: name }) => name === 'old_space')
    .reduce((sum, { space_used_size: used }) => sum + used, 0);

/** Of so many bytes: what a call carries along, and what is found in the old part of the heap if the call is. */
export const ballast = (bytes: number): readonly number[] => Array.from({ length: bytes / 8 }, (_, index) => index);

/**
 * Bytes by which the old part grows while `turn` runs so many times. What is there before is old by then, as in a process that
 * has been idle; every fifty turns young garbage is collected.
 */
export async function leftBehind(turns: number, turn: (index: number) => unknown): Promise<number> {
  const collect = openCollector();
  for (let time = 0; time < 2; time += 1) collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  const before = oldBytes();
  for (let index = 0; index < turns; index += 1) {
    await turn(index);
    if (index % 50 !== 0) continue;
    await settle();
    collect({ type: 'minor', execution: 'sync' });
  }
  return oldBytes() - before;
}
