// A program beside the sidecar that serves on a Unix socket, until it is disposed of.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';

export interface Program extends AsyncDisposable {
  readonly process: ChildProcess;
}

/** Resolves when it accepts connections. */
export async function startProgram(program: string, parameters: readonly string[], socket: string): Promise<Program> {
  await rm(socket, { force: true });
  const child: ChildProcess = spawn(program, parameters, { stdio: ['ignore', 'ignore', 'inherit'] });
  while (!(await canConnect(socket))) {
    if (child.exitCode !== null) throw new Error(`${program} does not start`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    process: child,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

const canConnect = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const connection = connect(socket);
    connection.on('connect', () => resolve(true)).on('error', () => resolve(false));
    connection.on('connect', () => connection.destroy());
  });
