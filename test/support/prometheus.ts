// A real Prometheus that scrapes what a test tells it to, once a second.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { freePort } from './free-port.ts';

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

interface Target {
  readonly job: string;
  /** host:port */
  readonly address: string;
  readonly labels: Readonly<Record<string, string>>;
}

export class Prometheus implements AsyncDisposable {
  readonly #directory: string;
  readonly #url: string;
  readonly #process: ChildProcess;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.#url = `http://127.0.0.1:${String(port)}`;
    const flags = [`--config.file=${directory}/prometheus.yml`, `--storage.tsdb.path=${directory}/data`];
    this.#process = spawn('prometheus', [...flags, `--web.listen-address=127.0.0.1:${String(port)}`], {
      stdio: 'ignore',
    });
  }

  static async start(targets: readonly Target[]): Promise<Prometheus> {
    const directory = await mkdtemp(join(tmpdir(), 'paycert-prometheus-'));
    const scrape_configs = targets.map(({ job, address, labels }) => ({
      job_name: job,
      static_configs: [{ targets: [address], labels }],
    }));
    const content = stringify({ global: { scrape_interval: '1s' }, scrape_configs });
    await writeFile(join(directory, 'prometheus.yml'), content);
    const prometheus = new Prometheus(directory, await freePort());
    while (!(await prometheus.#isReady())) await sleep(50);
    return prometheus;
  }

  async #isReady(): Promise<boolean> {
    if (this.#process.exitCode !== null) throw new Error(`prometheus ended with ${String(this.#process.exitCode)}`);
    return fetch(`${this.#url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  /** The answer to an instant query. @throws Error with what Prometheus says of the query */
  async query(query: string): Promise<Sample[]> {
    const response = await fetch(`${this.#url}/api/v1/query`, { method: 'POST', body: new URLSearchParams({ query }) });
    const { status, error, data } = (await response.json()) as {
      status: string;
      error?: string;
      data?: { result: Sample[] };
    };
    if (status !== 'success' || data === undefined) throw new Error(`${query}: ${String(error)}`);
    return data.result;
  }

  /** Asks until there is an answer that is a number; undefined when there is none in time. */
  async ask(query: string, milliseconds: number): Promise<Sample | undefined> {
    const deadline = Date.now() + milliseconds;
    for (;;) {
      const found = (await this.query(query)).find(({ value: [, number] }) => Number.isFinite(Number(number)));
      if (found !== undefined || Date.now() >= deadline) return found;
      await sleep(200);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
    await rm(this.#directory, { recursive: true, force: true });
  }
}
