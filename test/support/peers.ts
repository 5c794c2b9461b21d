// Real servers beside paycert, from the folder that PAYCERT_PEERS names: started by a test on free ports, stopped by their own pid.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env['PAYCERT_PEERS'] ?? '';

export const peerPath = (name: string): string => join(folder, name);

/** For `skip`: false where that server can be started. */
export const noPeer = (name: string): string | false =>
  !existsSync(peerPath(name)) && `PAYCERT_PEERS names no folder with ${name}`;

/** A program of a peer, and its end. */
export class Peer {
  readonly #child: ChildProcess;

  constructor(program: string, parameters: readonly string[], directory: string, more: NodeJS.ProcessEnv = {}) {
    // In the directory that goes with the test: some write to the home of whoever starts them.
    const env = { PATH: process.env['PATH'], HOME: directory, ...more };
    this.#child = spawn(program, parameters, { cwd: directory, env, stdio: 'ignore' });
  }

  /** Waits for what says that it serves. */
  async until(isReady: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 120_000;
    while (!(await isReady().catch(() => false))) {
      assert.ok(Date.now() < deadline && this.#child.exitCode === null, `${this.#child.spawnfile} does not start`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** As a crash ends it. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
