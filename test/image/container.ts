// Builds and runs the image with whatever this machine has: Docker, Podman, or Buildah with a local base.
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');
const localBuilder = join(root, '../shared/cluster/cluster');

/** Which image: its name here, and what its build is told. */
export interface Variant {
  readonly tag: string;
  readonly options: readonly string[];
}

export const standard: Variant = { tag: 'localhost/paycert:test', options: [] };
/** With what talks to a PKCS#11 token. */
export const withTokens: Variant = { tag: 'localhost/paycert:pkcs11', options: ['--build-arg', 'WITH=pkcs11'] };

/** Host path → path in the container, read-only unless said. */
export type Mounts = readonly { readonly host: string; readonly path: string; readonly isWritable?: boolean }[];

export interface Engine {
  /** Whether a build may install packages of the base. */
  readonly installs: boolean;
  build(): Promise<void>;
  /** Starts one container that is removed when it ends, with a read-only root and no capability. `program` instead of the image's own. */
  run(mounts: Mounts, words: readonly string[], program?: string): Promise<ChildProcess>;
}

const execute = promisify(execFile);
const works = (command: string, ...words: string[]): boolean =>
  spawnSync(command, words, { stdio: 'ignore' }).status === 0;

function cli(command: 'docker' | 'podman', { tag, options }: Variant): Engine {
  return {
    installs: true,
    build: async () => {
      await execute(command, ['build', '--tag', tag, ...options, root], { maxBuffer: 1 << 26 });
    },
    run: async (mounts, words, program) => {
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
        ...(program === undefined ? [] : ['--entrypoint', program]),
        tag,
        ...words,
      ]);
    },
  };
}

interface ImageConfig {
  readonly Entrypoint: readonly string[];
  readonly Env: readonly string[];
  readonly User: string;
}

interface RuntimeConfig {
  readonly process: object;
  readonly mounts: readonly object[];
  readonly linux: { readonly namespaces: readonly { readonly type: string }[] };
}

/** A configuration of runc's own making, with what the image and the mounts say. */
function runtimeConfig(base: RuntimeConfig, path: string, mounts: Mounts, process: object): object {
  const bind = ({ host, path, isWritable }: Mounts[number]) => ({
    destination: path,
    source: host,
    type: 'none',
    options: ['rbind', isWritable ? 'rw' : 'ro'],
  });
  return {
    ...base,
    root: { path, readonly: true },
    process: { ...base.process, ...process, cwd: '/', terminal: false, capabilities: {} },
    mounts: [...base.mounts, ...mounts.map(bind)],
  };
}

/**
 * What `node:24-slim` brings to compile with, and a base made here does not: where packages come from, and Node's headers. They are lent
 * to the build by this machine, where it is the same Debian. Node-API is the same in every version, so the headers need not be of 24.
 */
const lent = [
  { host: '/etc/apt/sources.list.d/debian.sources', path: '/etc/apt/sources.list.d/debian.sources' },
  { host: '/usr/include/node', path: '/usr/local/include/node' },
];
const lends =
  lent.every(({ host }) => existsSync(host)) && readFileSync('/etc/os-release', 'utf8').includes('=bookworm\n');

/** No daemon: the image is built on a base made here, and run by runc, as a cluster's node does. */
const buildah = ({ tag, options }: Variant): Engine => ({
  installs: lends,
  build: async () => {
    const volumes = lends ? lent.flatMap(({ host, path }) => ['--volume', `${host}:${path}:ro`]) : [];
    await execute(localBuilder, ['image', tag, root, '--layers', ...volumes, ...options], { maxBuffer: 1 << 26 });
  },
  run: async (mounts, words, program) => {
    const container = (await execute('buildah', ['from', tag])).stdout.trim();
    const path = (await execute('buildah', ['mount', container])).stdout.trim();
    const { stdout } = await execute('buildah', ['inspect', '--type', 'image', tag]);
    const { Entrypoint, Env, User } = (JSON.parse(stdout) as { OCIv1: { config: ImageConfig } }).OCIv1.config;
    const [uid, gid] = User.split(':').map(Number);
    const bundle = await mkdtemp(join(tmpdir(), 'paycert-bundle-'));
    await execute('runc', ['spec', '--bundle', bundle]);
    const file = join(bundle, 'config.json');
    const spec = JSON.parse(await readFile(file, 'utf8')) as RuntimeConfig;
    const args = [...(program === undefined ? Entrypoint : [program]), ...words];
    await writeFile(file, JSON.stringify(runtimeConfig(spec, path, mounts, { args, env: Env, user: { uid, gid } })));
    const child = spawn('runc', ['run', '--bundle', bundle, container]);
    child.once('exit', () => {
      spawnSync('buildah', ['rm', container]);
      rmSync(bundle, { recursive: true, force: true });
    });
    return child;
  },
});

/** What this machine has, if anything. */
export function findEngine(variant = standard): Engine | undefined {
  if (works('docker', 'info')) return cli('docker', variant);
  if (works('podman', 'info')) return cli('podman', variant);
  return existsSync(localBuilder) && works('runc', '--version') ? buildah(variant) : undefined;
}
