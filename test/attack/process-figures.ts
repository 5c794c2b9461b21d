// What the kernel knows of the memory of a process that is attacked.
import { readFileSync, writeFileSync } from 'node:fs';

/** The most that was resident since `forgetPeak`. */
export function peakMegabytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
