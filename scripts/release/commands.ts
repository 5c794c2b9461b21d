// Runs the programs that a release is made with, and computes digests.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function start(command: string, words: readonly string[], { cwd, env }: RunOptions, toTerminal: boolean): string {
  try {
    const stdout = toTerminal ? 'inherit' : 'pipe';
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 1 << 28 };
    return String(execFileSync(command, words, { ...options, stdio: ['ignore', stdout, 'inherit'] }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error(`${command} is not installed: RELEASING.md names what a release needs.`);
    throw new Error(`${[command, ...words.slice(0, 2)].join(' ')} failed; what it said is above.`);
  }
}

/** What it says goes to the terminal. @throws Error */
export function run(command: string, words: readonly string[], options: RunOptions = {}): void {
  start(command, words, options, true);
}

/** @returns what it prints, without the last line break. @throws Error */
export const output = (command: string, words: readonly string[], options: RunOptions = {}): string =>
  start(command, words, options, false).trimEnd();

export const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
