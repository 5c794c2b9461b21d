// The command as its users run it: a child process, its output by line, its exit code.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

export const mainFile = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** As in the image, and where the tests keep what they compile: without, a sidecar compiles for a second before it begins. */
const { NODE_COMPILE_CACHE } = process.env;

const ownCommand = [process.execPath, mainFile] as const;

const spawnPaycert = (
  args: readonly string[],
  env: RunOptions['env'] = {},
  [file, ...words]: readonly [string, ...string[]] = ownCommand,
): ChildProcessWithoutNullStreams =>
  spawn(file, [...words, ...args], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_COMPILE_CACHE, ...env },
  });

const longestRun = 240_000;

/** Runs it to its end. Rejects where it does not come to one. */
export async function paycert(args: readonly string[], { input = '', env }: RunOptions = {}): Promise<Ended> {
  const child = spawnPaycert(args, env);
  // A test that is given up leaves nothing running.
  const deadline = setTimeout(() => child.kill('SIGKILL'), longestRun);
  child.once('close', () => clearTimeout(deadline));
  // A command that reads no input may be gone before it is written.
  child.stdin.on('error', () => undefined).end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  if (child.signalCode === 'SIGKILL') throw new Error(`paycert ${args.join(' ')} does not end: ${stdout}${stderr}`);
  return { code, stdout, stderr };
}

export type LogLine = Readonly<Record<string, unknown>>;

/** One that goes on: its lines are awaited, and it is killed with the test. */
export class RunningPaycert {
  readonly child: ChildProcessWithoutNullStreams;
  readonly lines: LogLine[] = [];
  readonly ended: Promise<number | null>;
  /** The process has ended, and every line of it has been read. */
  #isOver = false;
  stdout = '';
  stderr = '';
  #waiting: (() => void)[] = [];

  /** `command`: what the arguments are given to, unless it is paycert itself. */
  constructor(
    t: Pick<TestContext, 'after'>,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
    command?: readonly [string, ...string[]],
  ) {
    this.child = spawnPaycert(args, env, command);
    this.child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.stdout += `${line}\n`;
      this.lines.push(line.startsWith('{') ? (JSON.parse(line) as LogLine) : { line });
      this.#wake();
    });
    this.ended = once(this.child, 'close').then(([code]) => code as number | null);
    void this.ended.then(() => {
      this.#isOver = true;
      this.#wake();
    });
    t.after(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  /** The first line from there on that is so; rejects when the process ends before. */
  async line(isWanted: (line: LogLine) => boolean, from = 0): Promise<LogLine> {
    for (let next = from; ; next++) {
      while (next >= this.lines.length) {
        if (this.#isOver) throw new Error(`ended with ${this.child.exitCode ?? this.child.signalCode}: ${this.stderr}`);
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      const line = this.lines[next];
      if (line !== undefined && isWanted(line)) return line;
    }
  }

  event(event: string, about: LogLine = {}, from = 0): Promise<LogLine> {
    const wanted = Object.entries({ event, ...about });
    return this.line((line) => wanted.every(([name, value]) => line[name] === value), from);
  }

  terminate(): void {
    this.child.kill('SIGTERM');
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
