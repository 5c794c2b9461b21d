// What the kernel knows of a process that is attacked: the CPU of its event loop, and its memory.
import { readFileSync, writeFileSync } from 'node:fs';

/** Milliseconds that the main thread has run. Other programs on the machine do not count, so it is equal on a busy one. */
export function mainThreadMilliseconds(pid: number): number {
  const [nanoseconds = '0'] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
  return Number(nanoseconds) / 1_000_000;
}

/** The most that was resident since `forgetPeak`. */
export function peakMegabytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
