// A real local-kms, which signs and decrypts as AWS KMS does: started by a test with the keys that it needs, in a network of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { noPeer, Peer, peerPath } from './peers.ts';

const isolate = ['-n', '-p', '-f', '--kill-child'];

/** For `skip`: it listens on every interface, so without a network of its own it is not started. */
export const noLocalKms =
  noPeer('local-kms') ||
  (spawnSync('unshare', [...isolate, 'ip', 'link', 'set', 'lo', 'up']).status !== 0 &&
    'no network namespace can be made here');

export interface Seed {
  /** By their ids. */
  readonly rsa: Readonly<
    Record<string, { readonly key: KeyObject; readonly usage?: 'SIGN_VERIFY' | 'ENCRYPT_DECRYPT' }>
  >;
  readonly ecc?: Readonly<Record<string, KeyObject>>;
  /** 32 bytes, in hex. */
  readonly aes?: Readonly<Record<string, string>>;
  /** `alias/NAME` → id. */
  readonly aliases?: Readonly<Record<string, string>>;
}

export const keyId = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
export const region = 'eu-west-1';
export const account = '111122223333';
export const arnOf = (id: string): string => `arn:aws:kms:${region}:${account}:key/${id}`;

/** One server for all tests of a file. */
export function useLocalKms(prepare: () => Promise<Seed>): () => LocalKms {
  let kms: LocalKms | undefined;
  before(async () => {
    if (noLocalKms === false) kms = await LocalKms.start(await prepare());
  });
  after(() => kms?.[Symbol.asyncDispose]());
  return () => {
    assert.ok(kms);
    return kms;
  };
}

export class LocalKms implements AsyncDisposable {
  readonly directory: string;
  readonly url: string;
  readonly #relay: ReturnType<typeof createServer>;
  readonly #sockets: Set<Socket>;
  #peer: Peer;

  private constructor(directory: string, relay: ReturnType<typeof createServer>, sockets: Set<Socket>) {
    this.directory = directory;
    this.#relay = relay;
    this.#sockets = sockets;
    this.url = `http://127.0.0.1:${String((relay.address() as AddressInfo).port)}`;
    this.#peer = this.#run();
  }

  static async start(seed: Seed): Promise<LocalKms> {
    const directory = await mkdtemp(join(tmpdir(), 'paycert-kms-'));
    await writeFile(join(directory, 'seed.yaml'), JSON.stringify(toYaml(seed)));
    const sockets = new Set<Socket>();
    const relay = createServer((near) => {
      const far = connect(join(directory, 'kms.sock'));
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(one);
        one.on('error', () => other.destroy()).on('close', () => (other.destroy(), sockets.delete(one)));
        one.pipe(other);
      }
    }).listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const kms = new LocalKms(directory, relay, sockets);
    await kms.#untilReady();
    return kms;
  }

  #run(): Peer {
    const child = join(import.meta.dirname, 'local-kms-child.ts');
    const script = 'ip link set lo up && exec "$0" "$@"';
    const environment = {
      KMS_SEED_PATH: join(this.directory, 'seed.yaml'),
      KMS_DATA_PATH: join(this.directory, 'data'),
      KMS_REGION: region,
      KMS_ACCOUNT_ID: account,
    };
    const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const program = ['env', ...settings, process.execPath, child, peerPath('local-kms'), join(this.directory, 'kms.sock'), '8080']; // prettier-ignore
    return new Peer('unshare', [...isolate, 'sh', '-c', script, ...program], this.directory);
  }

  async #untilReady(): Promise<void> {
    await this.#peer.until(async () => {
      await this.owner('ListKeys');
      return true;
    });
  }

  /** What its owner does to it: no signature is checked. @throws what it refuses */
  async owner(operation: string, body: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const headers = { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': `TrentService.${operation}` };
    const response = await fetch(this.url, { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await response.text();
    assert.ok(response.ok, text);
    return text === '' ? {} : (JSON.parse(text) as Readonly<Record<string, unknown>>);
  }

  /** As a crash ends it. */
  async stop(): Promise<void> {
    await this.#peer.kill();
    for (const socket of this.#sockets) socket.destroy();
  }

  async restart(): Promise<void> {
    this.#peer = this.#run();
    await this.#untilReady();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#relay.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** JSON is YAML. Keys of RSA in any other form than PKCS#8 would make it skip the whole seed. */
function toYaml({ rsa, ecc = {}, aes = {}, aliases = {} }: Seed): object {
  const pem = (key: KeyObject, type: 'pkcs8' | 'sec1') => key.export({ type, format: 'pem' }) as string;
  return {
    Keys: {
      Symmetric: { Aes: Object.entries(aes).map(([KeyId, key]) => ({ Metadata: { KeyId }, BackingKeys: [key] })) },
      Asymmetric: {
        Rsa: Object.entries(rsa).map(([KeyId, { key, usage: KeyUsage = 'SIGN_VERIFY' }]) => ({ Metadata: { KeyId, KeyUsage }, PrivateKeyPem: pem(key, 'pkcs8') })), // prettier-ignore
        Ecc: Object.entries(ecc).map(([KeyId, key]) => ({ Metadata: { KeyId, KeyUsage: 'SIGN_VERIFY' }, PrivateKeyPem: pem(key, 'sec1') })), // prettier-ignore
      },
    },
    Aliases: Object.entries(aliases).map(([AliasName, TargetKeyId]) => ({ AliasName, TargetKeyId })),
  };
}
