// A real Redis on a free port, with or without a password and TLS, that can be killed and started again where it was.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from './free-port.ts';
import { Peer } from './peers.ts';

const program = process.env['PAYCERT_REDIS_SERVER'] ?? 'redis-server';

/** For `skip`: false where one can be started. */
export const noRedis: string | false =
  spawnSync(program, ['--version']).status !== 0 &&
  `no ${program}: apt-get install redis-server, or PAYCERT_REDIS_SERVER`;

export interface RedisSettings {
  readonly password?: string;
  /** PEM. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

export class RedisServer {
  readonly port: number;
  readonly #directory: string;
  readonly #parameters: readonly string[];
  #peer: Peer | undefined;

  private constructor(directory: string, port: number, parameters: readonly string[]) {
    this.#directory = directory;
    this.port = port;
    this.#parameters = parameters;
  }

  static async create({ password, tls }: RedisSettings = {}): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), 'paycert-redis-'));
    const port = await freePort();
    const parameters = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory];
    if (password !== undefined) parameters.push('--requirepass', password);
    if (tls === undefined) parameters.push('--port', String(port));
    else {
      const [certFile, keyFile] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
      await Promise.all([writeFile(certFile, tls.certificate), writeFile(keyFile, tls.key)]);
      parameters.push(
        '--port',
        '0',
        '--tls-port',
        String(port),
        '--tls-cert-file',
        certFile,
        '--tls-key-file',
        keyFile,
      );
      parameters.push('--tls-auth-clients', 'no');
    }
    return new RedisServer(directory, port, parameters);
  }

  /** Empty, as after a crash. */
  async start(): Promise<void> {
    this.#peer = new Peer(program, this.#parameters, this.#directory);
    await this.#peer.until(
      () =>
        new Promise((resolve) => {
          const socket = connect(this.port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
          socket.once('connect', () => socket.destroy());
        }),
    );
  }

  async kill(): Promise<void> {
    await this.#peer?.kill();
  }

  async end(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

export async function startRedis(t: Pick<TestContext, 'after'>, settings?: RedisSettings): Promise<RedisServer> {
  const server = await RedisServer.create(settings);
  t.after(() => server.end());
  await server.start();
  return server;
}
