// How long somebody waits for a process that is attacked, without the time in which other programs had the cores.
import process from 'node:process';
import { withoutCore } from './process-figures.ts';
import type { Target } from './target.ts';

/**
 * Acts when so many milliseconds have passed in which that process and this one could work. Time in which one of them had work and
 * no core is not counted: it says how busy the machine is, and nothing of the attack. Returns what ends the wait.
 */
export function afterOwnTime(milliseconds: number, pid: number, act: () => void): () => void {
  const countedNow = () => performance.now() - withoutCore(pid) - withoutCore(process.pid);
  const started = countedNow();
  let timer: NodeJS.Timeout | undefined;
  const wait = () => {
    const left = milliseconds - (countedNow() - started);
    if (left > 0) timer = setTimeout(wait, left);
    else act();
  };
  wait();
  return () => clearTimeout(timer);
}

/** How long a process may take to its end, once it is to end. */
const endMilliseconds = 30_000;

/** How it ended, or that it does not. */
export function endOf({ pid, ended }: Pick<Target, 'pid' | 'ended'>): Promise<string> {
  return new Promise((resolve) => {
    const stop = afterOwnTime(endMilliseconds, pid, () => resolve(`nothing after ${endMilliseconds / 1000} s`));
    void ended.then((how) => {
      stop();
      resolve(how);
    });
  });
}
