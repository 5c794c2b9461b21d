// Memory beside a bare Node HTTP server, the CPU of a scrape, and the start with a thousand credentials.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecretVolume, type WechatpayMaterial } from '../../src/testing/index.ts';
import { cpuMilliseconds, load, residentMegabytes, type Sidecar, startBareServer, startSidecar } from './fixture.ts';
import type { Figures } from './rates.ts';

const passed = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const settle = () => passed(5000);
const path = '/v1/credentials/wechat/sign';

/** Each beside a bare server that has had the same life: idle, then as many requests. */
export async function memory(directory: string, start: () => Promise<Sidecar>, requests: number): Promise<Figures> {
  const [sidecar, bare] = [await start(), await startBareServer(directory)];
  try {
    await settle();
    const idle = (await residentMegabytes(sidecar.process)) / (await residentMegabytes(bare.process));
    const body = JSON.stringify({ message: 'memory' });
    for (const { socket } of [sidecar, bare]) {
      for (let sent = 0; sent < requests;)
        sent += (await load({ socket, path, body, callers: 32, milliseconds: 3000 })).answers;
    }
    const loaded = (await residentMegabytes(sidecar.process)) / (await residentMegabytes(bare.process));
    return {
      rss_idle_over_bare: idle,
      rss_loaded_over_bare: loaded,
      rss_loaded_mb: await residentMegabytes(sidecar.process),
    };
  } finally {
    await Promise.all([sidecar.stop(), bare.stop()]);
  }
}

/** As many seconds: two whole polls of the thousand. */
const scrapes = 20;

/** Milliseconds that pass during `work`, and the CPU of the sidecar in them as a share of one core. */
async function cpuOf(sidecar: Sidecar, work: () => Promise<unknown>): Promise<{ elapsed: number; share: number }> {
  const [started, before] = [performance.now(), await cpuMilliseconds(sidecar.process)];
  await work();
  const elapsed = performance.now() - started;
  return { elapsed, share: ((await cpuMilliseconds(sidecar.process)) - before) / elapsed };
}

export async function thousandCredentials(
  directory: string,
  inMemory: string,
  material: WechatpayMaterial,
): Promise<Figures> {
  const names = Array.from({ length: 1000 }, (_, index) => `merchant-${index}`);
  await mkdir(join(inMemory, 'many'));
  const credentials = await Promise.all(
    names.map(async (name) => {
      const path = join(inMemory, 'many', name);
      await createSecretVolume(path, material.files);
      return { name, path };
    }),
  );
  const started = performance.now();
  const sidecar = await startSidecar(directory, credentials);
  try {
    const seconds = (performance.now() - started) / 1000;
    await settle();
    const text = await (await fetch(`${sidecar.admin}/metrics`)).text();
    const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
    // One rendering a second: what a thousand credentials cost in that time, for their files are read all the while, is no scrape.
    const scraped = await cpuOf(sidecar, async () => {
      for (let scrape = 0; scrape < scrapes; scrape++) await (await fetch(`${sidecar.admin}/metrics`)).arrayBuffer();
    });
    const rest = await cpuOf(sidecar, () => passed(scraped.elapsed));
    const perScrape = ((scraped.share - rest.share) * scraped.elapsed) / scrapes;
    return {
      reload_1000_credentials_s: seconds,
      rest_1000_credentials_cores: rest.share,
      scrape_ms_per_7000_series: (perScrape * 7000) / series,
      scrape_series: series,
    };
  } finally {
    await sidecar.stop();
  }
}
