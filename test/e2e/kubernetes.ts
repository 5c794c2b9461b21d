// Talks to the cluster: its API through `kubectl proxy`, so with whatever KUBECONFIG says; kubectl and helm as people run them.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { root, run } from '../chart/helm.ts';
import type { Json } from '../support/control-plane.ts';

/** What the program prints. @throws Error with what it says when it fails */
export async function execute(program: 'kubectl' | 'helm' | 'helm3', words: readonly string[], input?: string) {
  const { code, stdout, stderr } = await run(program, words, input);
  if (code !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}${stdout}`);
  return stdout;
}

/** The command of this checkout, with whatever KUBECONFIG says. */
export const paycert = (...words: readonly string[]) =>
  run(process.execPath, [join(root, 'src/cli/main.ts'), ...words]);

export const kubectl = (...words: readonly string[]): Promise<string> => execute('kubectl', words);

/**
 * Asks until it is so: a cluster is many programs, none of which tells us. What fails meanwhile may be one that restarts;
 * an assertion that fails is the end.
 */
export async function eventually<T>(
  what: string,
  seconds: number,
  ask: () => Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  let failure: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      failure = undefined;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      failure = error;
    }
    await sleep(100);
  }
  throw new Error(`not within ${seconds} s: ${what}`, { cause: failure });
}

export class Kubernetes implements AsyncDisposable {
  readonly #proxy: ChildProcess;
  readonly #address: string;

  private constructor(proxy: ChildProcess, address: string) {
    this.#proxy = proxy;
    this.#address = address;
  }

  static async connect(): Promise<Kubernetes> {
    const proxy = spawn('kubectl', ['proxy', '--port=0'], { stdio: ['ignore', 'pipe', 'ignore'] });
    // It says what it could not reach, such as an API server that a test restarts: whoever asked is told as well.
    const [line] = (await once(createInterface({ input: proxy.stdout }), 'line')) as [string];
    const address = /127\.0\.0\.1:\d+/.exec(line)?.[0];
    assert.ok(address, line);
    return new Kubernetes(proxy, `http://${address}`);
  }

  /** @throws Error for an answer that is no success */
  async text(method: string, path: string, body?: string, type = 'application/json'): Promise<string> {
    const sent = body === undefined ? {} : { body, headers: { 'Content-Type': type } };
    const answer = await fetch(`${this.#address}${path}`, { method, ...sent, signal: AbortSignal.timeout(10_000) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text;
  }

  async json(method: string, path: string, body?: Json, type?: string): Promise<Json> {
    return JSON.parse(await this.text(method, path, body && JSON.stringify(body), type)) as Json;
  }

  async isReady(): Promise<boolean> {
    return (await this.text('GET', '/readyz')) === 'ok';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#proxy, 'exit');
    this.#proxy.kill();
    await ended;
  }
}
