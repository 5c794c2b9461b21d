// Kubelet, in a process of its own: probes a port all the while, and notes each time that it was not answered in time.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterOwnTime } from './patience.ts';

/** An address of its own, as kubelet has. */
const kubelet = '127.0.0.2';
/** Kubelet's own timeout, unless a manifest says otherwise. */
const patienceMilliseconds = 1000;
/** More often than any kubelet does. */
const pauseMilliseconds = 100;

/** What is probed. */
export interface Probed {
  readonly address: string;
  readonly pid: number;
}

export class Prober {
  readonly #process: ChildProcess;
  readonly #failures: Promise<[readonly string[]]>;

  private constructor(child: ChildProcess) {
    this.#process = child;
    this.#failures = once(child, 'message') as Promise<[readonly string[]]>;
  }

  static async start({ address, pid }: Probed): Promise<Prober> {
    const child = fork(import.meta.filename, ['prober', address, String(pid)], { execArgv: [] });
    const prober = new Prober(child);
    await once(child, 'spawn');
    return prober;
  }

  /** What was wrong since the start. */
  async stop(): Promise<readonly string[]> {
    this.#process.send('stop');
    return (await this.#failures)[0];
  }
}

/** Throws when `/livez` does not answer in time. */
function probe({ address, pid }: Probed): Promise<void> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const options = { host, port, path: '/livez', localAddress: kubelet, agent: false };
    const call = request(options, (response) => {
      response.resume().on('end', () => resolve());
      if (response.statusCode !== 200) reject(new Error(`/livez answered ${String(response.statusCode)}`));
    });
    const late = () => call.destroy(new Error(`/livez did not answer within ${patienceMilliseconds} ms`));
    call.on('close', afterOwnTime(patienceMilliseconds, pid, late));
    call.on('error', reject).end();
  });
}

async function probeUntilStopped(probed: Probed): Promise<void> {
  const failures: string[] = [];
  const stopped = once(process, 'message').then(() => true);
  do await probe(probed).catch((error: unknown) => failures.push(String(error)));
  while (!(await Promise.race([stopped, sleep(pauseMilliseconds, false)])));
  process.send?.(failures, () => process.disconnect());
}

if (process.argv[2] === 'prober')
  void probeUntilStopped({ address: process.argv[3] ?? '', pid: Number(process.argv[4]) });
