// A real OpenBao, which speaks Vault's API: started by a test, unsealed, and what its owner does to it.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { freePort } from './free-port.ts';
import { noPeer, Peer, peerPath } from './peers.ts';

export const noBao = noPeer('bao');

interface Answer {
  readonly data?: unknown;
  readonly auth?: { readonly client_token: string };
  readonly keys?: readonly string[];
  readonly root_token?: string;
}

/** One server for all tests of a file. */
export function useBao(prepare: (bao: Bao) => Promise<void> = async () => undefined): () => Bao {
  let bao: Bao | undefined;
  before(async () => {
    if (noBao !== false) return;
    bao = await Bao.start();
    await prepare(bao);
  });
  after(() => bao?.[Symbol.asyncDispose]());
  return () => {
    assert.ok(bao);
    return bao;
  };
}

export class Bao implements AsyncDisposable {
  readonly directory: string;
  readonly url: string;
  /** The same, as a path. */
  readonly socket: string;
  #peer: Peer;
  #root = '';
  #key = '';
  #names = 0;

  private constructor(directory: string, url: string) {
    this.directory = directory;
    this.url = url;
    this.socket = join(directory, 'bao.sock');
    this.#peer = this.#run();
  }

  static async start(): Promise<Bao> {
    const directory = await mkdtemp(join(tmpdir(), 'paycert-bao-'));
    const [port, clusterPort] = [await freePort(), await freePort()];
    const url = `http://127.0.0.1:${String(port)}`;
    const cluster = `127.0.0.1:${String(clusterPort)}`;
    await mkdir(join(directory, 'data'));
    await writeFile(
      join(directory, 'bao.hcl'),
      `storage "raft" {
  path = "${directory}/data"
  node_id = "one"
}
listener "unix" {
  address = "${directory}/bao.sock"
  tls_disable = true
}
listener "tcp" {
  address = "127.0.0.1:${String(port)}"
  cluster_address = "${cluster}"
  tls_disable = true
}
api_addr = "${url}"
cluster_addr = "http://${cluster}"
`,
    );
    const bao = new Bao(directory, url);
    await bao.#initialise();
    return bao;
  }

  #run(): Peer {
    return new Peer(peerPath('bao'), ['server', `-config=${this.directory}/bao.hcl`], this.directory);
  }

  async #initialise(): Promise<void> {
    const shares = { secret_shares: 1, secret_threshold: 1 };
    let answer: Answer = {};
    await this.#peer.until(async () => {
      answer = await this.owner('PUT', 'sys/init', shares);
      return true;
    });
    [this.#root, this.#key] = [answer.root_token ?? '', answer.keys?.[0] ?? ''];
    await this.unseal();
    await this.owner('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
    await this.owner('POST', 'sys/mounts/plain', { type: 'kv', options: { version: '1' } });
    await this.owner('POST', 'sys/auth/approle', { type: 'approle' });
    // An engine that has just been mounted upgrades itself, and takes nothing until it has.
    await this.#peer.until(async () => {
      await this.write('warm-up', { ready: 'yes' });
      return true;
    });
  }

  /** What its owner does, past the client that is tested. Rejects on a status that is not 2xx. */
  async owner(
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.url}/v1/${path}`, {
      method,
      headers: { 'X-Vault-Token': this.#root, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${String(response.status)} ${text}`);
    return text === '' ? {} : (JSON.parse(text) as Answer);
  }

  async write(path: string, data: object): Promise<void> {
    await this.owner('POST', `secret/data/${path}`, { data });
  }

  async seal(): Promise<void> {
    await this.owner('PUT', 'sys/seal');
  }

  /** Until it is the leader, and so serves. */
  async unseal(): Promise<void> {
    await this.owner('PUT', 'sys/unseal', { key: this.#key });
    await this.#peer.until(async () => (await fetch(`${this.url}/v1/sys/health`)).status === 200);
  }

  async stop(): Promise<void> {
    await this.#peer.kill();
  }

  /** On the same address, with what it held. */
  async restart(): Promise<void> {
    this.#peer = this.#run();
    await this.#peer.until(async () => (await fetch(`${this.url}/v1/sys/health`)).status === 503);
    await this.unseal();
  }

  /** A token with these policies in a file, as an agent writes it; returns its path. */
  async tokenFile(policies: readonly string[] = ['root'], more: object = {}): Promise<string> {
    const { auth } = await this.owner('POST', 'auth/token/create', { policies, ...more });
    return this.file(auth?.client_token ?? '');
  }

  async file(text: string): Promise<string> {
    const path = join(this.directory, `file-${String(this.#names++)}`);
    await writeFile(path, text);
    return path;
  }

  async policy(name: string, rules: Readonly<Record<string, readonly string[]>>): Promise<void> {
    const policy = Object.entries(rules)
      .map(([path, capabilities]) => `path "${path}" { capabilities = ${JSON.stringify(capabilities)} }`)
      .join('\n');
    await this.owner('PUT', `sys/policies/acl/${name}`, { policy });
  }

  /** A role with that policy, and the two files that log in as it. */
  async appRole(name: string, settings: object): Promise<{ roleIdFile: string; secretIdFile: string }> {
    await this.owner('POST', `auth/approle/role/${name}`, { token_policies: name, ...settings });
    const role = await this.owner('GET', `auth/approle/role/${name}/role-id`);
    const secret = await this.owner('POST', `auth/approle/role/${name}/secret-id`);
    return {
      roleIdFile: await this.file((role.data as { role_id: string }).role_id),
      secretIdFile: await this.file(`${(secret.data as { secret_id: string }).secret_id}\n`),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}
