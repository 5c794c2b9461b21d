// Makes a release twice, from two clones, and pushes it to a registry of this machine: what its tests look at.
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { freePort } from '../support/free-port.ts';

export const root = join(import.meta.dirname, '../..');
const localBuilder = join(root, '../shared/cluster/cluster');

const path = [process.env['PAYCERT_PEERS'], process.env['PATH']].filter(Boolean).join(delimiter);
export const env = { ...process.env, PATH: path, COSIGN_PASSWORD: '' };

const tools = ['git', 'tar', 'npm', 'buildah', 'helm', 'cosign', 'crane', 'syft'];
const missing = tools.filter(
  (tool) => spawnSync('sh', ['-c', `command -v ${tool}`], { env, stdio: 'ignore' }).status !== 0,
);

/** For `skip`. */
export const noRehearsal: string | false =
  (missing.length > 0 && `no release is rehearsed: ${missing.join(', ')} not installed`) ||
  (process.env['PAYCERT_RELEASE_BASE'] === undefined &&
    !existsSync(localBuilder) &&
    'no release is rehearsed: PAYCERT_RELEASE_BASE names no base image by digest');

const execute = promisify(execFile);

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function say(command: string, words: readonly string[], cwd = root): Promise<Said> {
  try {
    return { code: 0, ...(await execute(command, words, { cwd, env, maxBuffer: 1 << 27 })) };
  } catch (error) {
    const { code, stdout = '', stderr = '', message } = error as Error & Partial<Said>;
    return { code: typeof code === 'number' ? code : 1, stdout, stderr: stderr || message };
  }
}

/** @throws Error with what it says */
export async function must(command: string, words: readonly string[], cwd = root): Promise<string> {
  const { code, stdout, stderr } = await say(command, words, cwd);
  if (code !== 0) throw new Error(`${command} ${words.join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}

/** With what an image is built where there is no daemon, and where npm's registry is named in a file. */
function buildOptions(): readonly string[] {
  if (process.env['PAYCERT_RELEASE_BASE'] !== undefined) return [];
  const files = { [join(homedir(), '.npmrc')]: '/root/.npmrc', '/etc/npmrc': '/usr/local/etc/npmrc' };
  const mounts = Object.entries(files).flatMap(([host, path]) =>
    existsSync(host) ? [`--volume=${host}:${path}:ro`] : [],
  );
  return ['--isolation=chroot', '--network=host', '--pull=never', ...mounts].map(
    (option) => `--build-option=${option}`,
  );
}

async function findBase(): Promise<string> {
  const named = process.env['PAYCERT_RELEASE_BASE'];
  if (named !== undefined) return named;
  await must(localBuilder, ['base-image']);
  const digest = await must('buildah', ['images', '--format', '{{.Digest}}', 'localhost/node:24-slim']);
  return `localhost/node@${digest.trim().split('\n')[0]}`;
}

async function startRegistry(folder: string): Promise<{ address: string; process: ChildProcess }> {
  const address = `127.0.0.1:${String(await freePort())}`;
  await mkdir(folder);
  const child = spawn('crane', ['registry', 'serve', '--address', address, '--disk', folder], { env });
  for await (const line of createInterface({ input: child.stderr })) if (line.includes('serving')) break;
  child.stderr.resume();
  return { address, process: child };
}

export class Rehearsal implements AsyncDisposable {
  readonly folder: string;
  readonly base: string;
  readonly registry: string;
  readonly #registry: ChildProcess;

  private constructor(folder: string, base: string, registry: { address: string; process: ChildProcess }) {
    this.folder = folder;
    this.base = base;
    this.registry = registry.address;
    this.#registry = registry.process;
  }

  /** Both releases are made, side by side, and the first one is pushed. */
  static async start(): Promise<Rehearsal> {
    const folder = await mkdtemp(join(tmpdir(), 'paycert-rehearsal-'));
    const base = await findBase();
    const rehearsal = new Rehearsal(folder, base, await startRegistry(join(folder, 'registry')));
    try {
      await must('cosign', ['generate-key-pair'], folder);
      await rehearsal.#clone();
      await Promise.all(
        ['first', 'second'].map((clone) => must('npm', rehearsal.words('--dry-run'), join(folder, clone))),
      );
      const { registry: host } = rehearsal;
      const to = ['--publish', `${host}/paycert/paycert`, '--charts', `${host}/paycert/charts`, '--plain-http'];
      await must('npm', ['run', '--silent', 'release', '--', ...to, '--key', rehearsal.key], join(folder, 'first'));
      return rehearsal;
    } catch (error) {
      await rehearsal[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** In folders whose names differ in length; what is installed is the same. */
  async #clone(): Promise<void> {
    for (const clone of ['first', 'second']) await must('git', ['clone', '--quiet', root, join(this.folder, clone)]);
    await must('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], join(this.folder, 'first'));
    await cp(join(this.folder, 'first/node_modules'), join(this.folder, 'second/node_modules'), {
      recursive: true,
      verbatimSymlinks: true,
    });
  }

  words(...first: readonly string[]): readonly string[] {
    return ['run', '--silent', 'release', '--', ...first, '--base', this.base, '--key', this.key, ...buildOptions()];
  }

  get key(): string {
    return join(this.folder, 'cosign.key');
  }

  /** The first release. */
  get release(): string {
    return join(this.folder, 'first/release');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#registry.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}
