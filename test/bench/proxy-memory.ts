// What a proxy keeps of its calls: a thousand that a slow platform holds back, and a large download on its way through.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { residentMegabytes, type Sidecar } from './fixture.ts';
import { type ProxyBench, proxySocketOf, type RunningPlatform, startProxied } from './proxied.ts';
import type { Figures } from './rates.ts';
import { downloadBytes, downloadPath, slowPath } from './rsa-platform.ts';

const calls = 1000;
/** Of a download, between two looks at the sidecar's memory. */
const lookBytes = 4 * 1024 * 1024;
const settle = () => new Promise((resolve) => setTimeout(resolve, 3000));

export async function memoryOfCalls(bench: ProxyBench, platform: RunningPlatform): Promise<Figures> {
  const added = async (measure: (sidecar: Sidecar) => Promise<number>): Promise<number> => {
    const sidecar = await startProxied(bench, platform);
    try {
      await settle();
      const idle = await residentMegabytes(sidecar.process);
      return (await measure(sidecar)) - idle;
    } finally {
      await sidecar.stop();
    }
  };
  return {
    proxy_rss_1000_slow_mb: await added((sidecar) => whileSlow(sidecar, platform)),
    proxy_rss_download_100_mib_mb: await added(whileDownloading),
  };
}

async function whileSlow(sidecar: Sidecar, platform: RunningPlatform): Promise<number> {
  const responses = Array.from({ length: calls }, (_, index) =>
    open(sidecar, { method: 'POST', path: `/wechat${slowPath}/${String(index)}`, body: '{}' }),
  );
  await platform.holds(calls);
  const resident = await residentMegabytes(sidecar.process);
  platform.release();
  for (const response of await Promise.all(responses)) response.resume();
  return resident;
}

/** The most of it. */
async function whileDownloading(sidecar: Sidecar): Promise<number> {
  const response = await open(sidecar, { method: 'GET', path: `/wechat${downloadPath}?token=1` });
  let [received, most] = [0, 0];
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const before = Math.floor(received / lookBytes);
    received += chunk.byteLength;
    if (Math.floor(received / lookBytes) > before) most = Math.max(most, await residentMegabytes(sidecar.process));
  }
  if (received !== downloadBytes) throw new Error(`${String(received)} bytes arrived`);
  return most;
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
