// An empty project with the packed package in it, as a stranger has it: packed from the files that git knows, installed by npm.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const rootPath = join(import.meta.dirname, '../..');

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const temporary = mkdtempSync(join(tmpdir(), 'paycert-package-'));
export const removeAll = (): void => rmSync(temporary, { recursive: true });

/** What a clone holds before anything is installed or made in it. */
export function cleanClone(name: string): string {
  const clone = join(temporary, name);
  const known = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  const paths = execFileSync('git', known, { cwd: rootPath, encoding: 'utf8' }).split('\0').filter(Boolean);
  for (const path of paths) {
    mkdirSync(dirname(join(clone, path)), { recursive: true });
    cpSync(join(rootPath, path), join(clone, path), { force: true, errorOnExist: false });
  }
  return clone;
}

export interface Packed {
  readonly tarball: string;
  readonly paths: readonly string[];
}

/** Packs as `npm publish` would, with the packages that `npm ci` would install. No `dist`: packing has to make it. */
export function pack(): Packed {
  const clone = cleanClone('packed');
  symlinkSync(join(rootPath, 'node_modules'), join(clone, 'node_modules'));
  const output = execFileSync('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', temporary], {
    cwd: clone,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [{ filename, files }] = JSON.parse(output) as [{ filename: string; files: { path: string }[] }];
  return { tarball: join(temporary, filename), paths: files.map(({ path }) => path) };
}

export class Project {
  readonly path: string;

  constructor(name: string) {
    this.path = join(temporary, name);
    mkdirSync(this.path);
    this.write('package.json', JSON.stringify({ name, private: true, type: 'module' }));
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.path, name), text);
  }

  /** From the registry, or npm's cache of it; a package of this clone's own by its path. */
  install(...specifiers: string[]): void {
    const options = ['--prefer-offline', '--no-audit', '--no-fund', '--no-save', '--loglevel=error'];
    execFileSync('npm', ['install', ...options, ...specifiers], {
      cwd: this.path,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }

  /** Ends by itself, or fails. `environment`: beside PATH, all that the process gets. */
  run(command: string, words: readonly string[], environment: Readonly<Record<string, string>> = {}): Ran {
    const { status, stdout, stderr, error } = spawnSync(command, words, {
      cwd: this.path,
      encoding: 'utf8',
      timeout: 120_000,
      env: { PATH: process.env['PATH'], HOME: this.path, ...environment },
    });
    if (error !== undefined) throw error;
    return { status, stdout, stderr };
  }

  /** The command as `npx` finds it. */
  paycert(...words: string[]): Ran {
    return this.run(join(this.path, 'node_modules/.bin/paycert'), words);
  }

  evaluate(code: string, node: readonly string[] = [process.execPath]): Ran {
    const [command = '', ...options] = node;
    return this.run(command, [...options, '--input-type=module', '--eval', code]);
  }
}
