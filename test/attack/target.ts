// What is attacked: the bundle with the image's options and a pod's memory, in a process of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { imageEnvironment, imageOptions } from '../support/image-settings.ts';
import { limitMemory, type MemoryLimit } from './memory-limit.ts';

const bundle = join(import.meta.dirname, '../../bundle/dist/cli/main.js');
const monitor = join(import.meta.dirname, 'loop-monitor.cjs');
const compileCache = join(tmpdir(), 'paycert-attack-compile-cache');

type Line = Readonly<Record<string, unknown>>;

/** The longest turn of an event loop, in CPU of the main thread. */
export interface Hold {
  readonly milliseconds: number;
  /** Of it, collection of garbage, by the clock. */
  readonly collecting: number;
}

export interface TargetOptions {
  readonly words: readonly string[];
  readonly megabytes: number;
  /** Of files, at once. */
  readonly descriptors?: number;
  /** Where its log goes; what it says is then unknown. */
  readonly stdout?: number;
  /** What starts it, such as `unshare -m`. */
  readonly before?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export class Target {
  readonly child: ChildProcess;
  readonly limit: MemoryLimit;
  readonly megabytes: number;
  readonly lines: Line[] = [];
  readonly ended: Promise<string>;
  /** What runs a command of the bundle, as the image does, and its environment. */
  readonly program: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  #woken = Promise.withResolvers<undefined>();

  constructor({ words, megabytes, descriptors, stdout, before = [], environment = {} }: TargetOptions) {
    this.limit = limitMemory(megabytes);
    this.megabytes = megabytes;
    this.program = [process.execPath, ...imageOptions, ...this.limit.nodeOptions, bundle];
    this.environment = {
      PATH: process.env['PATH'],
      ...imageEnvironment,
      NODE_COMPILE_CACHE: compileCache,
      ...environment,
    };
    const start = [...(descriptors === undefined ? [] : [`ulimit -n ${descriptors}`]), 'exec "$@"'].join(' && ');
    const [node = '', ...rest] = this.program;
    const monitored = [node, '--require', monitor, ...rest];
    this.child = spawn('sh', ['-c', this.within(start), 'sh', ...before, ...monitored, ...words], {
      stdio: ['ignore', stdout ?? 'pipe', 'ignore', 'ipc'],
      env: this.environment,
    });
    this.ended = once(this.child, 'exit').then(([code, signal]) => String(code ?? signal));
    void this.ended.then(() => this.#wake());
    if (this.child.stdout)
      createInterface({ input: this.child.stdout }).on('line', (line) => {
        this.lines.push(JSON.parse(line) as Line);
        this.#wake();
      });
  }

  /** A command of the shell, within the limit of memory. */
  within(command: string): string {
    const { joinFile } = this.limit;
    return joinFile === undefined ? command : `echo $$ > ${joinFile} && ${command}`;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The first line from there on that has all of this; rejects when it ends before. */
  async line(wanted: Line, from = 0): Promise<Line> {
    for (let next = from; ; next += 1) {
      while (next >= this.lines.length) {
        if (!this.isAlive) throw new Error(`it ended: ${await this.ended}, after ${JSON.stringify(this.lines.at(-1))}`);
        await this.#woken.promise;
      }
      const line = this.lines[next];
      if (line && Object.entries(wanted).every(([name, value]) => line[name] === value)) return line;
    }
  }

  /** The longest hold since the last look; undefined when it has ended. */
  async look(): Promise<Hold | undefined> {
    if (!this.isAlive) return undefined;
    const looked = once(this.child, 'message') as Promise<[Hold]>;
    this.child.send('look', () => undefined);
    const [hold] = await Promise.race([looked, this.ended.then(() => [])]);
    return hold;
  }

  async address(listener: string): Promise<string> {
    return String((await this.line({ event: 'listening', listener }))['address']);
  }

  async stop(): Promise<void> {
    if (this.isAlive) this.child.kill('SIGKILL');
    await this.ended;
    this.limit.remove();
  }

  #wake(): void {
    this.#woken.resolve(undefined);
    this.#woken = Promise.withResolvers();
  }
}

export async function useDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'paycert-attack-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 10 });
  }
}

export interface SidecarOptions extends Partial<Omit<TargetOptions, 'words'>> {
  /** YAML of each credential, a list item. */
  readonly credentials: readonly string[];
  /** Names that are waited for. */
  readonly names: readonly string[];
  readonly more?: string;
  /** Where callers come in; by default, the socket alone. */
  readonly listen?: string;
}

/** Starts a sidecar, and resolves when those credentials are current. */
export async function startSidecar(directory: string, options: SidecarOptions): Promise<Target> {
  const config = join(directory, 'paycert.yaml');
  await writeFile(config, sidecarConfig(directory, options));
  const target = new Target({ megabytes: 256, ...options, words: ['sidecar', '--config', config] });
  if (options.stdout === undefined)
    await Promise.all(options.names.map((credential) => target.line({ event: 'swapped', credential })));
  return target;
}

export const sidecarConfig = (
  directory: string,
  { credentials, more = '', listen = `{ socket: ${socketIn(directory)} }` }: SidecarOptions,
): string => `listen: ${listen}\nadmin: { address: "127.0.0.1:0" }\n${more}credentials:\n${credentials.join('')}`;

export const socketIn = (directory: string): string => join(directory, 'api.sock');
