// A heap may grow by less than the program was started with, from the next collection on.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const module = new URL('../../src/system/heap-growth.ts', import.meta.url).href;

/** Makes the same garbage beside the same 40 MB that stay, and prints how many times all of the heap was collected. */
const program = (percent: number) => `
  import { constants, PerformanceObserver } from 'node:perf_hooks';
  import { growHeapBy } from '${module}';
  growHeapBy(${String(percent)});
  let thorough = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) thorough += 1;
  });
  observer.observe({ entryTypes: ['gc'] });
  const kept = Array.from({ length: 400_000 }, (_, index) => ({ index, more: [index] }));
  for (let i = 0, wave = []; i < 8_000_000; i++) {
    wave.push({ i, more: [i] });
    if (wave.length === 100_000) wave = [];
  }
  // They are reported in turns of their own.
  for (let turns = 0; turns < 10; turns++) await new Promise(setImmediate);
  console.log(kept.length > 0 && thorough);
`;

const collectionsWith = async (percent: number): Promise<number> => {
  const words = ['--heap-growing-percent=100', '--max-semi-space-size=4', '--input-type=module', '--eval'];
  const { stdout } = await run(process.execPath, [...words, program(percent)]);
  return Number(stdout);
};

describe('a heap', () => {
  it('grows no further than it is told while the program runs, and is collected more often for that', async () => {
    const [less, more] = [await collectionsWith(20), await collectionsWith(200)];
    assert.ok(less > 1.5 * more, `${String(less)} times, and ${String(more)} times`);
  });
});
