// A real server that the demo starts beside itself, waits for, and ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const patienceMilliseconds = 30_000;
const stepMilliseconds = 50;

export class Server {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Until it serves. @throws Error where it ends, or takes too long */
  static async start(program: string, flags: readonly string[], directory: string, isReady: () => Promise<void>) {
    // In the directory that goes with the demo: some write to the home of their user.
    const env = { PATH: process.env['PATH'], HOME: directory };
    const server = new Server(spawn(program, flags, { cwd: directory, env, stdio: 'ignore' }));
    const deadline = performance.now() + patienceMilliseconds;
    for (;;) {
      try {
        await isReady();
        return server;
      } catch (error) {
        if (server.#child.exitCode !== null || performance.now() > deadline) {
          await server.end();
          throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, stepMilliseconds));
      }
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
