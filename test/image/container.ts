// Builds and runs the image with whatever this machine has: Docker, Podman, or Buildah with a local base.
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');
const localBuilder = join(root, '../shared/cluster/cluster');
export const tag = 'localhost/paycert:test';

/** Host path → path in the container, read-only unless said. */
export type Mounts = readonly { readonly host: string; readonly path: string; readonly isWritable?: boolean }[];

export interface Engine {
  build(): Promise<void>;
  /** Starts one container that is removed when it ends. */
  run(mounts: Mounts, words: readonly string[]): Promise<ChildProcess>;
}

const execute = promisify(execFile);
const works = (command: string, ...words: string[]): boolean =>
  spawnSync(command, words, { stdio: 'ignore' }).status === 0;

function cli(command: 'docker' | 'podman'): Engine {
  return {
    build: async () => {
      await execute(command, ['build', '--tag', tag, root], { maxBuffer: 1 << 26 });
    },
    run: async (mounts, words) => {
      const volumes = mounts.flatMap(({ host, path, isWritable }) => [
        '--volume',
        `${host}:${path}${isWritable ? '' : ':ro'}`,
      ]);
      return spawn(command, [
        'run',
        '--rm',
        '--read-only',
        '--network=none',
        '--cap-drop=ALL',
        ...volumes,
        tag,
        ...words,
      ]);
    },
  };
}

/** No daemon: the image is built on a base made here, and its entry point is run in a chroot of its files. */
const buildah: Engine = {
  build: async () => {
    await execute(localBuilder, ['image', tag, root, '--layers'], { maxBuffer: 1 << 26 });
  },
  run: async (mounts, words) => {
    const container = (await execute('buildah', ['from', tag])).stdout.trim();
    const { stdout } = await execute('buildah', ['inspect', '--type', 'image', tag]);
    const { OCIv1 } = JSON.parse(stdout) as { OCIv1: { config: { Entrypoint: string[] } } };
    const volumes = mounts.flatMap(({ host, path, isWritable }) => [
      '--volume',
      `${host}:${path}${isWritable ? '' : ':ro'}`,
    ]);
    const child = spawn('buildah', [
      'run',
      '--isolation=chroot',
      ...volumes,
      container,
      '--',
      ...OCIv1.config.Entrypoint,
      ...words,
    ]);
    child.once('exit', () => spawnSync('buildah', ['rm', container]));
    return child;
  },
};

/** What this machine has, if anything. */
export function findEngine(): Engine | undefined {
  if (works('docker', 'info')) return cli('docker');
  if (works('podman', 'info')) return cli('podman');
  return existsSync(localBuilder) ? buildah : undefined;
}
