// From a write at a real Vault, Consul or etcd to the new key that signs, and what a hundred credentials of one Vault cost while nothing happens.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOrigin } from '../../src/cli/demo/origins.ts';
import { PaycertError } from '../../src/errors.ts';
import { startPaycert } from '../../src/index.ts';
import { rotateMerchant, type WechatpayMaterial } from '../../src/testing/index.ts';
import { Bao, noBao } from '../support/bao.ts';
import { RecordingProxy } from '../support/recording-proxy.ts';
import { median, startSidecar } from './fixture.ts';
import type { Figures } from './rates.ts';

export interface LatencyBench {
  readonly directory: string;
  readonly material: WechatpayMaterial;
  readonly count: number;
}

/** Of Vault with `poll: 1s`: half of the poll, and what is read. The others tell of a change by themselves. */
export async function originLatencies(bench: LatencyBench): Promise<Figures> {
  const figures: Figures = {};
  for (const name of ['vault', 'consul', 'etcd']) {
    const milliseconds = await latency(name, bench).catch((error: unknown) => {
      if (!(error instanceof PaycertError && error.code === 'usage')) throw error;
      process.stderr.write(`skipped: ${error.message}\n`);
    });
    if (milliseconds !== undefined) figures[`${name}_write_to_current_ms`] = milliseconds;
  }
  return figures;
}

async function latency(name: string, { directory, material, count }: LatencyBench): Promise<number> {
  const place = join(directory, name);
  await mkdir(place);
  await using origin = await startOrigin(name, place, process.env);
  await origin.write(material.files);
  let awaited: { readonly keyId: string; readonly resolve: (at: number) => void } | undefined;
  await using _ = await startPaycert(
    [{ name: 'wechat', required: true, provider: { wechatpay: { merchantId: material.merchantId } }, source: origin.source }], // prettier-ignore
    {
      observe: (event) => {
        if (event.type === 'swapped' && event.keyId === awaited?.keyId) awaited?.resolve(performance.now());
      },
    },
  );
  const latencies: number[] = [];
  for (let change = 0; change < count; change += 1) {
    const next = await rotateMerchant(material, { now: new Date() });
    const { promise, resolve } = Promise.withResolvers<number>();
    awaited = { keyId: next.merchant.serialNumber, resolve };
    const written = performance.now();
    await origin.write(next.files);
    latencies.push((await promise) - written);
  }
  return median(latencies);
}

export interface IdleBench {
  readonly directory: string;
  readonly material: WechatpayMaterial;
  readonly milliseconds: number;
}

const credentials = 100;

/** A sidecar at rest, with the poll that it has unless told otherwise. */
export async function idleVault({ directory, material, milliseconds }: IdleBench): Promise<Figures> {
  if (noBao !== false) {
    process.stderr.write(`skipped: ${noBao}\n`);
    return {};
  }
  await using ends = new AsyncDisposableStack();
  const bao = ends.use(await Bao.start());
  const after = (end: () => Promise<void>) => {
    ends.defer(end);
  };
  const proxy = await RecordingProxy.start({ after } as never, bao.url);
  const data = Object.fromEntries([...material.files].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]));
  const auth = { token: { tokenFile: await bao.tokenFile() } };
  const names = Array.from({ length: credentials }, (_, index) => `shop-${String(index)}`);
  for (const name of names) await bao.write(name, data);
  const place = join(directory, 'idle-vault');
  await mkdir(place);
  const sidecar = await startSidecar(
    place,
    names.map((name) => ({ name, source: { vault: { address: proxy.url, path: name, auth } } })),
  );
  ends.defer(() => sidecar.stop());
  // What runs once after a start is no part of rest.
  await sleep(10_000);
  const [requests, ticks] = [proxy.exchanges.length, await processorTicks(sidecar.process.pid)];
  await sleep(milliseconds);
  const seconds = milliseconds / 1000;
  return {
    vault_idle_requests_per_credential_and_minute: ((proxy.exchanges.length - requests) / credentials / seconds) * 60,
    vault_idle_cpu_share_100_credentials: ((await processorTicks(sidecar.process.pid)) - ticks) / 100 / seconds,
  };
}

/** Hundredths of a second that the process has computed, by proc(5). */
async function processorTicks(pid = 0): Promise<number> {
  const fields = (await readFile(`/proc/${String(pid)}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
