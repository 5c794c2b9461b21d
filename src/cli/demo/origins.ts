// Where the demo's keys come from: a mounted Secret, or a real Vault, Consul or etcd that it starts on loopback and ends again.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { SourceConfig } from '../../config/schema/source.ts';
import { createSecretVolume, type Files, type SecretVolume } from '../../testing/index.ts';
import { usageError } from '../command.ts';
import { Server } from './server.ts';

export interface DemoOrigin extends AsyncDisposable {
  /** As the configuration says it. */
  readonly source: SourceConfig;
  /** The whole set, at once. */
  write(files: Files): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;
type Start = (directory: string, environment: Environment) => Promise<DemoOrigin>;

const token = 'made-up-for-the-demo';
const place = 'demo/wechat-main';

/** Kubelet’s way of writing, in a directory. */
const files: Start = (directory) => {
  const path = join(directory, 'wechat-main');
  let volume: SecretVolume | undefined;
  return Promise.resolve({
    source: { files: { path } },
    async write(set) {
      if (volume === undefined) volume = await createSecretVolume(path, set);
      else await volume.write(set);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
};

const vault: Start = async (directory, environment) => {
  const program = programOf('PAYCERT_PEERS', 'bao', environment);
  const [url] = await origins(1);
  const flags = ['server', '-dev', '-dev-no-store-token', `-dev-root-token-id=${token}`, `-dev-listen-address=${new URL(url).host}`]; // prettier-ignore
  const server = await Server.start(program, flags, directory, () => ask('GET', `${url}/v1/sys/health`));
  const tokenFile = join(directory, 'vault-token');
  await writeFile(tokenFile, token, { mode: 0o600 });
  const data = (set: Files) =>
    Object.fromEntries([...set].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]));
  return {
    source: { vault: { address: url, auth: { token: { tokenFile } }, path: place, poll: '1s' } },
    write: (set) => ask('POST', `${url}/v1/secret/data/${place}`, { data: data(set) }, { 'X-Vault-Token': token }),
    [Symbol.asyncDispose]: () => server.end(),
  };
};

const consul: Start = async (directory, environment) => {
  const program = programOf('PAYCERT_PEERS', 'consul', environment);
  const [url, serf, internal] = await origins(3);
  const port = (origin: string) => new URL(origin).port;
  const flags = ['agent', '-dev', '-bind=127.0.0.1', '-client=127.0.0.1', '-dns-port=-1', '-grpc-port=-1', '-serf-wan-port=-1', `-http-port=${port(url)}`, `-serf-lan-port=${port(serf)}`, `-server-port=${port(internal)}`]; // prettier-ignore
  const isReady = () => ask('PUT', `${url}/v1/kv/ready`, {});
  const server = await Server.start(program, flags, directory, isReady);
  return {
    source: { consul: { address: url, prefix: place } },
    write: (set) =>
      ask('PUT', `${url}/v1/txn`, [
        { KV: { Verb: 'delete-tree', Key: `${place}/` } },
        ...[...set].map(([name, bytes]) => ({ KV: { Verb: 'set', Key: `${place}/${name}`, Value: base64(bytes) } })),
      ]),
    [Symbol.asyncDispose]: () => server.end(),
  };
};

const etcd: Start = async (directory, environment) => {
  const program = programOf('KUBEBUILDER_ASSETS', 'etcd', environment);
  const [url, peers] = await origins(2);
  const flags = [`--data-dir=${join(directory, 'etcd')}`, '--unsafe-no-fsync', `--listen-client-urls=${url}`, `--advertise-client-urls=${url}`, `--listen-peer-urls=${peers}`, `--initial-advertise-peer-urls=${peers}`, `--initial-cluster=default=${peers}`]; // prettier-ignore
  const isReady = () => ask('POST', `${url}/v3/kv/range`, { key: base64('ready') });
  const server = await Server.start(program, flags, directory, isReady);
  let names: readonly string[] = [];
  return {
    source: { etcd: { address: url, prefix: place } },
    async write(set) {
      const key = (name: string) => base64(`${place}/${name}`);
      const gone = names.filter((name) => !set.has(name));
      names = [...set.keys()];
      // One transaction may not touch a key twice.
      const puts = [...set].map(([name, bytes]) => ({ request_put: { key: key(name), value: base64(bytes) } }));
      const removals = gone.map((name) => ({ request_delete_range: { key: key(name) } }));
      await ask('POST', `${url}/v3/kv/txn`, { success: [...puts, ...removals] });
    },
    [Symbol.asyncDispose]: () => server.end(),
  };
};

const starts: Readonly<Record<string, Start>> = { files, vault, consul, etcd };

/** @throws PaycertError `usage` where there is no such origin, or its server is not here */
export async function startOrigin(name: string, directory: string, environment: Environment): Promise<DemoOrigin> {
  const start = Object.hasOwn(starts, name) ? starts[name] : undefined;
  if (start === undefined) throw usageError(`--origin is one of ${Object.keys(starts).join(', ')}`);
  return start(directory, environment);
}

function programOf(variable: string, name: string, environment: Environment): string {
  const folder = environment[variable];
  const program = join(folder ?? '', name);
  if (folder !== undefined && existsSync(program)) return program;
  throw usageError(`--origin starts a real server: set ${variable} to a folder with the program ${name}`);
}

const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64');

async function ask(method: string, url: string, body?: object, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  if (!response.ok) throw new Error(`${method} ${url}: ${String(response.status)}`);
}

/** Origins on loopback whose ports are free now. */
async function origins(count: 1): Promise<readonly [string]>;
async function origins(count: 2): Promise<readonly [string, string]>;
async function origins(count: 3): Promise<readonly [string, string, string]>;
async function origins(count: number): Promise<readonly string[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const urls = servers.map((server) => `http://127.0.0.1:${String((server.address() as { port: number }).port)}`);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return urls;
}
