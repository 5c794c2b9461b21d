// From the rename of `..data` to the first answer with the new key id, idle and under full load.
import { Agent } from 'node:http';
import { rotateMerchant, type SecretVolume, type WechatpayMaterial } from '../../src/testing/index.ts';
import { load, percentile, post } from './fixture.ts';
import type { Figures } from './rates.ts';

export interface Swaps {
  readonly socket: string;
  readonly volume: SecretVolume;
  readonly material: WechatpayMaterial;
  readonly count: number;
}

const path = '/v1/credentials/wechat/sign';

/** Milliseconds of each swap, sorted. A prober asks without pause; its own round trip is part of the figure. */
async function measure({ socket, volume, count }: Swaps, versions: readonly WechatpayMaterial[]): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const latencies: number[] = [];
  for (let swap = 0; swap < count; swap++) {
    const next = versions[swap % versions.length];
    if (next === undefined) throw new Error('no versions to rotate');
    const prepared = await volume.prepare(next.files);
    const renamed = prepared.publish().then(() => performance.now());
    for (;;) {
      const { keyId } = await post(socket, path, { message: 'probe' }, agent);
      if (keyId === next.merchant.serialNumber) break;
    }
    latencies.push(performance.now() - (await renamed));
    await prepared.cleanup();
  }
  agent.destroy();
  return latencies.sort((a, b) => a - b);
}

export async function swapLatencies(swaps: Swaps): Promise<Figures> {
  const second = await rotateMerchant(swaps.material, { now: new Date() });
  const third = await rotateMerchant(swaps.material, { now: new Date() });
  const versions = [second, third];
  const idle = await measure(swaps, versions);
  const body = JSON.stringify({ message: 'load' });
  const stop = { isStopped: false };
  const busy = (async () => {
    while (!stop.isStopped) await load({ socket: swaps.socket, path, body, callers: 32, milliseconds: 2000 });
  })();
  const loaded = await measure({ ...swaps }, [swaps.material, ...versions.toReversed()]);
  stop.isStopped = true;
  await busy;
  return { swap_to_current_p99_ms: percentile(idle, 0.99), swap_to_current_loaded_p99_ms: percentile(loaded, 0.99) };
}
