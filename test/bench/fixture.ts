// What the benchmarks run against: the bundled sidecar on demo material, peers beside it, loads from another process.
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { type Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import type { SourceConfig } from '../../src/config/schema/source.ts';
import { imageEnvironment, imageOptions } from '../support/image-settings.ts';
import type { Load, LoadResult } from './load.ts';

const root = join(import.meta.dirname, '../..');
const bundle = join(root, 'bundle/dist/cli/main.js');

/** Builds what the image holds. */
export function buildBundle(): void {
  execFileSync('npm', ['run', '--silent', 'bundle'], { cwd: root, stdio: 'inherit' });
  if (!existsSync(bundle)) throw new Error('no bundle was built');
}

export interface Sidecar {
  readonly process: ChildProcess;
  readonly socket: string;
  readonly admin: string;
  /** host:port or path, by name. */
  readonly listeners: ReadonlyMap<string, string>;
  stop(): Promise<void>;
}

export type SidecarCredential =
  { readonly name: string; readonly path: string } | { readonly name: string; readonly source: SourceConfig };

const merchantId = '1900000001';

/** Starts the sidecar and resolves when every credential is current. */
export async function startSidecar(
  directory: string,
  credentials: readonly SidecarCredential[],
  more = '',
): Promise<Sidecar> {
  const socket = join(directory, 'paycert.sock');
  const config = join(directory, 'paycert.yaml');
  const entries = credentials.map(
    ({ name, ...from }) =>
      `  - { name: ${name}, required: true, provider: { wechatpay: { merchantId: "${merchantId}" } }, source: ${JSON.stringify('source' in from ? from.source : { files: { path: from.path } })} }\n`,
  );
  await writeFile(
    config,
    `listen: { socket: ${socket} }\nadmin: { address: "127.0.0.1:0" }\nlog: { level: info }\n${more}credentials:\n${entries.join('')}`,
  );
  const environment = {
    ...process.env,
    ...imageEnvironment,
    NODE_COMPILE_CACHE: join(directory, 'compile-cache'),
  };
  const child = spawn(process.execPath, [...imageOptions, bundle, 'sidecar', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environment,
  });
  const listeners = new Map<string, string>();
  await new Promise<void>((resolve, reject) => {
    let pending = '';
    child.stdout.on('data', (chunk: Buffer) => {
      pending += chunk.toString();
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) {
        const { event, listener = '', address = '' } = JSON.parse(line) as Record<string, string>;
        if (event === 'listening') listeners.set(listener, address);
        // Written once every listener is there.
        if (event === 'configured') resolve();
      }
    });
    child.once('exit', () => reject(new Error('the sidecar ended')));
  });
  const admin = `http://${listeners.get('admin') ?? ''}`;
  while (!(await isReady(admin))) await new Promise((resolve) => setTimeout(resolve, 5));
  return {
    process: child,
    socket,
    admin,
    listeners,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function isReady(admin: string): Promise<boolean> {
  return (await fetch(`${admin}/startupz`)).status === 200;
}

/** A bare Node HTTP server on a socket: what the platform costs without paycert. */
export async function startBareServer(directory: string): Promise<Sidecar> {
  const socket = join(directory, 'bare.sock');
  // Left behind by the one before, which was killed.
  await rm(socket, { force: true });
  const program = `require('node:http').createServer((q, r) => { q.resume(); q.on('end', () => r.end('{}')); }).listen(${JSON.stringify(socket)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    process: child,
    socket,
    admin: '',
    listeners: new Map(),
    async stop() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** A process that runs loads, one at a time: for the second, its code is compiled already. */
export interface Loads extends Disposable {
  readonly process: ChildProcess;
  run(load: Load): Promise<LoadResult>;
}

export function startLoads(): Loads {
  const child = fork(join(import.meta.dirname, 'load.ts'));
  return {
    process: child,
    async run(options) {
      child.send(options);
      const [result] = (await once(child, 'message')) as [LoadResult];
      if (result.failures > 0) throw new Error(`${result.failures} answers were not 200`);
      return result;
    },
    [Symbol.dispose]: () => {
      child.disconnect();
    },
  };
}

/** Runs one load in a process of its own. */
export async function load(options: Load): Promise<LoadResult> {
  using loads = startLoads();
  return await loads.run(options);
}

export async function residentMegabytes({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid ?? 0}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

/** User and system CPU of a process, in milliseconds, from its scheduler statistics (nanoseconds of its threads). */
export async function cpuMilliseconds({ pid }: ChildProcess): Promise<number> {
  const stat = await readFile(`/proc/${pid ?? 0}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** One call, for its answer. */
export function post(socketPath: string, path: string, body: object, agent?: Agent): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { socketPath, path, method: 'POST', headers: { 'Content-Type': 'application/json' }, ...(agent && { agent }) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>));
      },
    );
    request.on('error', reject);
    request.end(JSON.stringify(body));
  });
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
};

export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
