// What a proxy keeps of its calls: a thousand that a slow platform holds back, and a large download on its way through.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { median, residentMegabytes, type Sidecar } from './fixture.ts';
import { type ProxyBench, proxySocketOf, type RunningPlatform, startProxied } from './proxied.ts';
import type { Figures } from './rates.ts';
import { downloadBytes, downloadPath, slowPath } from './rsa-platform.ts';

const calls = 1000;
/** Sidecars, one after the other: the same program takes some megabytes more or less. */
const slowRounds = 3;
/** Of a download, between two looks at the sidecar's memory. */
const lookBytes = 4 * 1024 * 1024;
const settle = () => new Promise((resolve) => setTimeout(resolve, 3000));

export async function memoryOfCalls(bench: ProxyBench, platform: RunningPlatform): Promise<Figures> {
  /** In a sidecar of its own: what it has when it is idle, and meanwhile. */
  const measured = async (measure: (sidecar: Sidecar) => Promise<readonly number[]>) => {
    const sidecar = await startProxied(bench, platform);
    try {
      await settle();
      return { idle: await residentMegabytes(sidecar.process), meanwhile: await measure(sidecar) };
    } finally {
      await sidecar.stop();
    }
  };
  const slow: number[] = [];
  for (let round = 0; round < slowRounds; round += 1) {
    const { idle, meanwhile } = await measured((sidecar) => whileSlow(sidecar, platform));
    slow.push(Math.max(...meanwhile) - idle);
  }
  const download = await measured(whileDownloading);
  const half = download.meanwhile.length / 2;
  return {
    proxy_rss_1000_slow_mb: median(slow),
    proxy_rss_download_100_mib_mb: Math.max(...download.meanwhile) - download.idle,
    proxy_rss_download_growth_mb:
      Math.max(...download.meanwhile.slice(half)) - Math.max(...download.meanwhile.slice(0, half)),
  };
}

async function whileSlow(sidecar: Sidecar, platform: RunningPlatform): Promise<readonly number[]> {
  const responses = Array.from({ length: calls }, (_, index) =>
    open(sidecar, { method: 'POST', path: `/wechat${slowPath}/${String(index)}`, body: '{}' }),
  );
  await platform.holds(calls);
  const resident = await residentMegabytes(sidecar.process);
  platform.release();
  for (const response of await Promise.all(responses)) response.resume();
  return [resident];
}

async function whileDownloading(sidecar: Sidecar): Promise<readonly number[]> {
  const response = await open(sidecar, { method: 'GET', path: `/wechat${downloadPath}?token=1` });
  let received = 0;
  const looks: number[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const before = Math.floor(received / lookBytes);
    received += chunk.byteLength;
    if (Math.floor(received / lookBytes) > before) looks.push(await residentMegabytes(sidecar.process));
  }
  if (received !== downloadBytes) throw new Error(`${String(received)} bytes arrived`);
  return looks;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

async function open(sidecar: Sidecar, { method, path, body }: Call): Promise<IncomingMessage> {
  const headers = { 'Content-Type': 'application/json' };
  const asked = request({ socketPath: proxySocketOf(sidecar), method, path, headers, agent: false }).end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`a call got ${String(response.statusCode)}`);
  return response;
}
