// What the proxy's benchmark runs against: a platform in a process of its own, and sidecars with a proxy in front of it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { toPkcs8Pem, toSpkiPem } from '../../src/testing/key-pair.ts';
import type { PlatformKey, WechatpayMaterial } from '../../src/testing/index.ts';
import { type Sidecar, startSidecar } from './fixture.ts';
import type { PlatformKeys, Said } from './rsa-platform.ts';

export interface ProxyBench {
  readonly directory: string;
  /** Of the merchant's mounted Secret. */
  readonly path: string;
  readonly material: WechatpayMaterial;
  readonly rounds: number;
  readonly milliseconds: number;
}

export interface RunningPlatform extends AsyncDisposable {
  /** host:port */
  readonly address: string;
  /** Resolves when so many calls are held back. */
  holds(count: number): Promise<void>;
  /** Responds to all of them. */
  release(): void;
}

export function platformKeyOf({ platformKeys }: WechatpayMaterial): PlatformKey {
  const [key] = platformKeys;
  if (key === undefined) throw new Error('the material has no platform key');
  return key;
}

export async function startPlatform(material: WechatpayMaterial): Promise<RunningPlatform> {
  const { keyId, privateKey } = platformKeyOf(material);
  const child = fork(join(import.meta.dirname, 'rsa-platform.ts'), ['serve']);
  const keys: PlatformKeys = { merchantKey: toSpkiPem(material.merchant.publicKey), platformKey: toPkcs8Pem(privateKey), keyId }; // prettier-ignore
  child.send(keys);
  const { promise: listening, resolve: listens } = Promise.withResolvers<number>();
  let [held, changed] = [0, () => {}];
  child.on('message', (said: Said) => {
    if ('port' in said) listens(said.port);
    else held = said.held;
    changed();
  });
  return {
    address: `127.0.0.1:${String(await listening)}`,
    async holds(count) {
      while (held < count) await new Promise<void>((resolve) => (changed = resolve));
    },
    release() {
      // Those of the next round are counted from the first.
      held = 0;
      child.send('release');
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Its proxy is on the socket of that listener; every call may be under way at once, however long a busy machine takes for all of them. */
export const startProxied = ({ directory, path }: ProxyBench, platform: RunningPlatform): Promise<Sidecar> =>
  startSidecar(
    directory,
    [{ name: 'wechat', path }],
    `proxy: { listen: { socket: ${join(directory, 'proxy.sock')} }, bulkhead: { concurrent: 1024 }, deadline: 10m, routes: [{ credential: wechat, double: "http://${platform.address}" }] }\n`,
  );

export const proxySocketOf = ({ listeners }: Sidecar): string => listeners.get('proxy-socket') ?? '';
