// The local API on a real listener, over a store that material was loaded into as the reload loop does it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Limiter } from '../../src/store/limiter.ts';
import type { PaycertError } from '../../src/errors.ts';
import type { Event } from '../../src/events.ts';
import type { Capability, Provider } from '../../src/providers/provider.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { createApi } from '../../src/server/http.ts';
import { listenOnSocket } from '../../src/server/socket.ts';
import { material } from '../../src/sources/source.ts';
import { aroundEach } from '../../src/store/call.ts';
import { attempt } from '../../src/store/attempt.ts';
import type { MaxAge } from '../../src/store/age.ts';
import { type CredentialPolicy, Store } from '../../src/store/store.ts';
import { generateKeyPair } from '../../src/testing/key-pair.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { createWechatpayMaterial, type WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { type Answer, type Call, exchange } from './http-client.ts';

export const merchantId = '1900000001';
export const start = new Date('2026-03-01T00:00:00Z');

/** A merchant with two platform certificates and a public key. */
export async function makeMaterial(): Promise<WechatpayMaterial> {
  const keyPairs = await Promise.all(Array.from({ length: 4 }, () => generateKeyPair()));
  return createWechatpayMaterial({ merchantId, now: start, publicKey: true, keyPairs });
}

export interface CredentialOptions {
  readonly files?: Files | undefined;
  readonly provider?: Provider;
  readonly isRequired?: boolean;
  readonly requires?: readonly Capability[];
  readonly maxAge?: MaxAge;
  readonly policy?: Partial<CredentialPolicy>;
}

/** A store with its time and what was observed. */
export interface Loaded {
  readonly store: Store;
  /** Moved by tests. */
  readonly clock: { time: Date; now(): Date; sleep(): Promise<void> };
  readonly events: Event[];
  /** Tries to make material current, as the reload loop does. */
  readonly load: (name: string, files: Files) => Promise<PaycertError | undefined>;
}

/** Declares the credentials and loads those that have files. */
export async function loadStore(
  credentials: Readonly<Record<string, CredentialOptions>>,
  time = start,
): Promise<Loaded> {
  const events: Event[] = [];
  const store = new Store();
  const clock = { time, now: () => clock.time, sleep: () => Promise.resolve() };
  const dependencies = { store, clock, limiter: new Limiter(64), observe: (event: Event) => void events.push(event) };
  const providers = new Map<string, Provider>();
  const load = async (name: string, files: Files) => {
    const provider = providers.get(name) ?? wechatpay({ merchantId });
    const credential = { name, provider, older: 'accept', graceMilliseconds: 60_000 } as const;
    return (await attempt(credential, material(files), dependencies))?.error;
  };
  for (const [name, { files, provider, isRequired = false, requires, maxAge, policy }] of Object.entries(credentials)) {
    providers.set(name, provider ?? wechatpay({ merchantId }));
    store.declare(name, {
      provider: 'wechatpay',
      isRequired,
      requires: requires ?? ['sign'],
      ...(maxAge && { maxAge }),
      ...policy,
    });
    const violation = files && (await load(name, files));
    if (violation !== undefined) throw violation;
  }
  return { store, clock, events, load };
}

export interface ApiServer extends Loaded, AsyncDisposable {
  /** The path of its Unix socket. */
  readonly address: string;
  call(call: Call): Promise<Answer>;
  /** POSTs JSON to an operation of the credential `shop`. */
  post(operation: string, input: unknown): Promise<Reply>;
  get(path: string): Promise<Reply>;
}

/** An answer, parsed. */
export interface Reply extends Answer {
  readonly body: Readonly<Record<string, unknown>>;
}

export const maxBodyBytes = 1024 * 1024;
export const startedAt = start;

/** The API over a loaded store, on a Unix socket. */
export async function startApi(credentials: Readonly<Record<string, CredentialOptions>>): Promise<ApiServer> {
  const loaded = await loadStore(credentials);
  const { store, clock, events } = loaded;
  const observe = (event: Event) => void events.push(event);
  const directory = await mkdtemp(join(tmpdir(), 'paycert-'));
  const around = aroundEach({ observe, milliseconds: () => performance.now(), most: 1024 });
  const api = createApi({ store, clock, observe, around, maxBodyBytes, version: '0.0.0', startedAt }, 'socket');
  const { address, close } = await listenOnSocket(join(directory, 'api.sock'), api);
  const call = (one: Call) => exchange(address, one);
  const parsed = async (one: Call): Promise<Reply> => {
    const answer = await call(one);
    return { ...answer, body: JSON.parse(answer.text) as Reply['body'] };
  };
  return {
    ...loaded,
    address,
    call,
    post: (operation, input) =>
      parsed({
        path: `/v1/credentials/shop/${operation}`,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(input),
      }),
    get: (path) => parsed({ path }),
    async [Symbol.asyncDispose]() {
      await close();
      await rm(directory, { recursive: true });
    },
  };
}

/** A problem's status and code: what callers act on. */
export const verdictOf = ({ status, body }: Reply): [number, unknown] => [status, body['title']];
