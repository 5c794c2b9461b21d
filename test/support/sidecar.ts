// A real sidecar on material made here: its configuration, its process, and calls to its listeners.
import { type Agent, request } from 'node:http';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { createWechatpayMaterial, type WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { keyPairs } from './key-pairs.ts';
import { type LogLine, RunningPaycert } from './paycert.ts';

export const merchantId = '1900000001';

export { keyPairs };

/** A merchant's material; each `rotation` has other keys, and none that was the merchant's is ever the platform's. */
export async function makeMaterial(rotation = 0, merchant = merchantId): Promise<WechatpayMaterial> {
  const all = await keyPairs();
  const merchants = [0, 5, 6, 7, 8];
  const chosen = [merchants[rotation % 5], 1 + (rotation % 4), 1 + ((rotation + 1) % 4)];
  const turned = chosen.map((index) => all[index ?? 0]!);
  return createWechatpayMaterial({ merchantId: merchant, now: new Date(), keyPairs: turned });
}

export async function makeDirectory(t: Pick<TestContext, 'after'>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'paycert-cli-'));
  // A sidecar that still runs puts its socket back.
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 10 }));
  return directory;
}

export interface CredentialOptions {
  readonly name?: string;
  readonly merchant?: string;
  readonly path: string;
  readonly more?: string;
}

export const credential = ({
  name = 'wechat-main',
  merchant = merchantId,
  path,
  more = '',
}: CredentialOptions): string => `  - name: ${name}
    provider: { wechatpay: { merchantId: "${merchant}" } }
    source: { files: { path: ${JSON.stringify(path)} } }
${more}`;

export const configuration = (directory: string, credentials: readonly string[], more = ''): string =>
  `listen: { socket: ${JSON.stringify(join(directory, 'api.sock'))}, tcp: { address: "127.0.0.1:0", tokenFile: ${JSON.stringify(join(directory, 'token'))} } }
admin: { address: "127.0.0.1:0" }
${more}credentials:${credentials.length === 0 ? ' []' : ''}
${credentials.join('')}`;

export const token = 'a-token-for-tests-only';

/** As an editor or kubelet replaces a file: at once. */
export async function replaceFile(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}

export interface Answer {
  readonly status: number;
  readonly content: string;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent?: Agent;
}

/** `address`: the path of a socket, or host:port. */
export function call(address: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const { body, method = body === undefined ? 'GET' : 'POST', headers = {}, agent } = options;
  const target = address.startsWith('/')
    ? { socketPath: address }
    : { host: '127.0.0.1', port: address.slice(address.lastIndexOf(':') + 1) };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { ...target, path, method, agent: agent ?? false, headers: { 'Content-Type': 'application/json', ...headers } },
      (response) => {
        const status = response.statusCode ?? 0;
        text(response).then((content) => resolve({ status, content }), reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
  });
}

export class Sidecar extends RunningPaycert {
  socket = '';
  tcp = '';
  admin = '';

  async ready(credentials: readonly string[]): Promise<void> {
    const configured = this.event('configured');
    await Promise.all([configured, ...credentials.map((name) => this.event('swapped', { credential: name }))]);
    const address = (listener: string): string =>
      String(this.lines.find((line: LogLine) => line['listener'] === listener)?.['address']);
    [this.socket, this.tcp, this.admin] = [address('socket'), address('tcp'), address('admin')];
  }
}

/** Writes configuration and token, starts it, and waits for these credentials. */
export async function startSidecar(
  t: Pick<TestContext, 'after'>,
  directory: string,
  config: string,
  { waitFor = ['wechat-main'], args = [], env }: StartOptions = {},
): Promise<Sidecar> {
  const configPath = join(directory, 'paycert.yaml');
  await Promise.all([writeFile(configPath, config), writeFile(join(directory, 'token'), `${token}\n`)]);
  const sidecar = new Sidecar(t, ['sidecar', '--config', configPath, ...args], env);
  await sidecar.ready(waitFor);
  return sidecar;
}

interface StartOptions {
  readonly waitFor?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}
