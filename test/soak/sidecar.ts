// A real sidecar in a process of its own, and what the system knows of that process.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { imageEnvironment, imageOptions } from '../support/image-settings.ts';

/** What the image holds; `npm run bundle` makes it. */
const main = join(import.meta.dirname, '../../bundle/dist/cli/main.js');

export interface Sidecar {
  readonly socket: string;
  residentMegabytes(): Promise<number>;
  /** Open file descriptors, and the directories that its inotify instances watch. */
  openHandles(): Promise<{ readonly descriptors: number; readonly watches: number }>;
  /** How many lines it logged under each event. */
  readonly logged: ReadonlyMap<string, number>;
  /** The next line under that event. */
  next(event: string): Promise<void>;
  /** Ends it; resolves with its exit code. */
  stop(): Promise<number | null>;
}

/** Starts it on that directory of material, as the image does; resolves when it has loaded it. */
export async function startSidecar(
  directory: string,
  secret: string,
  merchantId: string,
  more: object = {},
): Promise<Sidecar> {
  const socket = join(directory, 'paycert.sock');
  const config = join(directory, 'paycert.yaml');
  const credential = {
    name: 'shop',
    required: true,
    provider: { wechatpay: { merchantId } },
    source: { files: { path: secret } },
  };
  const document = { listen: { socket }, admin: { address: '127.0.0.1:0' }, credentials: [credential], ...more };
  await writeFile(config, JSON.stringify(document));
  const words = [...imageOptions, main, 'sidecar', '--config', config];
  const env = { ...process.env, ...imageEnvironment };
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const logged = new Map<string, number>();
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  const loaded = new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the sidecar ended')));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { event = 'unknown' } = JSON.parse(line) as { event?: string };
      logged.set(event, (logged.get(event) ?? 0) + 1);
      waiting.get(event)?.resolve();
      waiting.delete(event);
      if (event === 'swapped') resolve();
    });
  });
  await loaded;
  return {
    socket,
    logged,
    next(event) {
      const next: PromiseWithResolvers<void> = waiting.get(event) ?? Promise.withResolvers();
      waiting.set(event, next);
      return next.promise;
    },
    residentMegabytes: () => residentMegabytes(child),
    openHandles: () => openHandles(child),
    async stop() {
      if (child.exitCode !== null) return child.exitCode;
      const exited = once(child, 'exit') as Promise<[number | null]>;
      child.kill('SIGTERM');
      const killer = new AbortController();
      void sleep(10_000, undefined, { signal: killer.signal, ref: false }).then(
        () => child.kill('SIGKILL'),
        () => undefined,
      );
      const [code] = await exited;
      killer.abort();
      return code;
    },
  };
}

async function residentMegabytes({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

async function openHandles({ pid }: ChildProcess) {
  const names = await readdir(`/proc/${String(pid)}/fd`);
  const infos = await Promise.all(
    names.map((name) => readFile(`/proc/${String(pid)}/fdinfo/${name}`, 'utf8').catch(() => '')),
  );
  const watches = infos.reduce((sum, info) => sum + [...info.matchAll(/^inotify wd:/gm)].length, 0);
  return { descriptors: names.length, watches };
}
