// Runs the programs that a release is made with, and computes digests.
import { execFileSync, type StdioOptions } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function start(command: string, words: readonly string[], { cwd, env }: RunOptions, stdio: StdioOptions): string {
  try {
    return String(execFileSync(command, words, { cwd, env: { ...process.env, ...env }, maxBuffer: 1 << 28, stdio }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error(`${command} is not installed: RELEASING.md names what a release needs.`, { cause: error });
    const { stderr } = error as { stderr?: Buffer | null };
    throw new Error(`${[command, ...words.slice(0, 2)].join(' ')} failed. ${stderr?.toString() ?? ''}`, {
      cause: error,
    });
  }
}

/** What it says goes to the terminal. @throws Error */
export function run(command: string, words: readonly string[], options: RunOptions = {}): void {
  start(command, words, options, ['ignore', 'inherit', 'inherit']);
}

/** What it says beside is shown if it fails. @returns what it prints, without the last line break. @throws Error */
export const output = (command: string, words: readonly string[], options: RunOptions = {}): string =>
  start(command, words, options, ['ignore', 'pipe', 'pipe']).trimEnd();

export const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
