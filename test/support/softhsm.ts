// A real PKCS#11 token, SoftHSM, in a directory of its own: its keys, its PIN, and what its owner does to it.
import { execFile, execFileSync } from 'node:child_process';
import type { KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, rename, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { KeyServicesConfig } from '../../src/config/schema/key-services.ts';
import { makeDirectory } from './directories.ts';

const run = promisify(execFile);
const libraries = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so'];
const library = libraries.find((path) => existsSync(path));
const addon = new URL('../../node_modules/pkcs11js/build/Release/pkcs11.node', import.meta.url);

const isThere = (program: string): boolean => {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** For `skip`: false where a token can be used. */
export const noToken: string | false =
  library === undefined || !isThere('softhsm2-util')
    ? 'there is no SoftHSM on this machine'
    : !existsSync(addon) && 'pkcs11js is not built: npm run addon';

export type Pkcs11Config = NonNullable<KeyServicesConfig['pkcs11']>;

const ownersPin = '4321';
/** No digest and no time has this text by chance: tests look for it where it must not be. */
export const rightPin = 'pin-1234';

export class SoftHsm {
  readonly label = 'pay';
  readonly pinFile: string;
  readonly #directory: string;
  #objects = 0;

  private constructor(directory: string) {
    this.#directory = directory;
    this.pinFile = join(directory, 'pin');
  }

  static async start(t: TestContext): Promise<SoftHsm> {
    const token = new SoftHsm(await makeDirectory(t));
    await mkdir(token.#tokens);
    const configuration = `directories.tokendir = ${token.#tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`;
    await writeFile(token.#configuration, configuration);
    await token.addToken(token.label);
    await token.setPin(rightPin);
    return token;
  }

  addToken(label: string): Promise<void> {
    return this.#util('--init-token', '--free', '--label', label, '--pin', rightPin, '--so-pin', ownersPin);
  }

  /** As a sidecar is configured to use it, with a deadline that a busy machine keeps: a module is a process that starts. */
  config(more: Partial<Pkcs11Config> = {}): Pkcs11Config {
    // What measures which lines are reached measures that process as well.
    const { NODE_V8_COVERAGE: coverage } = process.env;
    const environment = { ...this.environment, ...(coverage !== undefined && { NODE_V8_COVERAGE: coverage }) };
    const tokens = [{ label: this.label, pinFile: this.pinFile }];
    return { module: library ?? '', tokens, environment, deadline: '60s', ...more };
  }

  get environment(): Readonly<Record<string, string>> {
    return { SOFTHSM2_CONF: this.#configuration };
  }

  /** What stands in the material where the key would. */
  async import(key: KeyObject, object = `key-${String(this.#objects)}`, token = this.label): Promise<string> {
    this.#objects += 1;
    const id = this.#objects.toString(16).padStart(4, '0');
    const file = join(this.#directory, `${id}.pem`);
    await writeFile(file, key.export({ type: 'pkcs8', format: 'pem' }));
    await this.#util('--import', file, '--token', token, '--label', object, '--id', id, '--pin', rightPin);
    return `pkcs11:token=${token};object=${object}`;
  }

  /** As the owner of the token does it, with OpenSC’s tool. */
  async tool(...parameters: readonly string[]): Promise<void> {
    const login = ['--module', library ?? '', '--token-label', this.label, '--login', '--pin', rightPin];
    await run('pkcs11-tool', [...login, ...parameters], { env: { ...process.env, ...this.environment } });
  }

  /** An object beside a key, of the same id. */
  async write(type: 'cert', bytes: Uint8Array, id: string): Promise<void> {
    const file = join(this.#directory, `${type}-${id}.der`);
    await writeFile(file, bytes);
    await this.tool('--write-object', file, '--type', type, '--id', id);
  }

  async setPin(pin: string): Promise<void> {
    await writeFile(`${this.pinFile}.new`, `${pin}\n`);
    await chmod(`${this.pinFile}.new`, 0o600);
    await rename(`${this.pinFile}.new`, this.pinFile);
  }

  async remove(): Promise<void> {
    await rename(this.#tokens, `${this.#tokens}-away`);
    await mkdir(this.#tokens);
  }

  async putBack(): Promise<void> {
    await rmdir(this.#tokens);
    await rename(`${this.#tokens}-away`, this.#tokens);
  }

  get #tokens(): string {
    return join(this.#directory, 'tokens');
  }

  get #configuration(): string {
    return join(this.#directory, 'softhsm2.conf');
  }

  async #util(...parameters: readonly string[]): Promise<void> {
    await run('softhsm2-util', parameters, { env: { ...process.env, ...this.environment } });
  }
}
