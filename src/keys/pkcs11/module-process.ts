// A process with a PKCS#11 module in it, from outside: questions with a deadline each, and an end that no module can prevent.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Clock } from '../../clock.ts';
import type { Question, Reply } from './words.ts';

export interface ProcessOptions {
  /** All that the module finds in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Threads for calls that wait for the token. */
  readonly threads: number;
  readonly clock: Clock;
}

/** It ended, by itself or by us, before it replied. */
export class ProcessEnded extends Error {
  override readonly name = 'ProcessEnded';
}

/** It has not replied in time: it hangs. */
export class ProcessLate extends Error {
  override readonly name = 'ProcessLate';
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** Beside this file, under the name that this file’s own form has: sources, the package and the image are laid out alike. */
const program = new URL(`./token-process${/\.[jt]s$/.exec(import.meta.url)?.[0] ?? '.js'}`, import.meta.url);
/** It keeps nothing: a small heap is enough. The inspector would show a PIN to anybody who may signal it. */
const flags = ['--disable-sigusr1', '--max-old-space-size=64', '--max-semi-space-size=1'];
const graceMilliseconds = 1000;

export class ModuleProcess {
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  /** When it has ended. */
  readonly ended: Promise<void>;

  constructor({ environment, threads, clock }: ProcessOptions) {
    this.#clock = clock;
    this.#child = fork(program, {
      execArgv: flags,
      env: { ...environment, UV_THREADPOOL_SIZE: String(threads) },
      // What a module prints may be anything.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const ended = Promise.withResolvers<undefined>();
    this.ended = ended.promise;
    this.#child.on('message', (message) => this.#hear(message));
    for (const event of ['exit', 'error'] as const)
      this.#child.once(event, () => {
        ended.resolve(undefined);
        for (const { reject } of this.#waiting.values()) reject(new ProcessEnded());
        this.#waiting.clear();
      });
    // Alone it keeps no program alive; a question does, while it waits.
    this.#child.unref();
    this.#child.channel?.unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** @throws ProcessEnded, ProcessLate */
  async ask(question: Question, milliseconds: number): Promise<Reply> {
    const id = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    if (!this.#child.connected) throw new ProcessEnded();
    this.#waiting.set(id, { resolve, reject });
    this.#child.channel?.ref();
    const over = new AbortController();
    void this.#clock.sleep(milliseconds, over.signal).then(() => reject(new ProcessLate()));
    this.#child.send({ id, ...question }, (error) => error && reject(new ProcessEnded()));
    try {
      return await promise;
    } finally {
      over.abort('done');
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#child.channel?.unref();
    }
  }

  /** Whatever its module does. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** It says farewell to its tokens, if it still can. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || !this.#child.connected) return;
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    const over = new AbortController();
    await Promise.race([exited, this.#clock.sleep(graceMilliseconds, over.signal)]);
    over.abort('done');
    this.kill();
  }

  #hear(message: unknown): void {
    if (typeof message !== 'object' || message === null || !('id' in message)) return;
    const { id, ...reply } = message;
    this.#waiting.get(id as number)?.resolve(reply as Reply);
  }
}
