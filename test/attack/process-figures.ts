// What the kernel knows of a process that is attacked: its memory, and how long it had no core.
import { readFileSync, writeFileSync } from 'node:fs';

/** The most that was resident since `forgetPeak`. */
export function peakMegabytes(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** The milliseconds, since it began, in which its main thread had work and other programs had the cores; 0 where the kernel does not say. */
export function withoutCore(pid: number): number {
  try {
    const [, nanoseconds] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    return 0;
  }
}
