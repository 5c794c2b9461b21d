// The signing proxy beside a bare reverse proxy, both in front of the same platform in the same run: latency, throughput, and what is added.
import { sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { toPkcs8Pem, toSpkiPem } from '../../src/testing/key-pair.ts';
import { load, median, percentile } from './fixture.ts';
import type { Load, LoadResult } from './load.ts';
import { startProgram } from './program.ts';
import { platformKeyOf, type ProxyBench, proxySocketOf, type RunningPlatform, startPlatform, startProxied } from './proxied.ts'; // prettier-ignore
import { memoryOfCalls } from './proxy-memory.ts';
import type { Figures } from './rates.ts';

type Target = Pick<Load, 'socket' | 'path' | 'headers' | 'body'>;

const path = '/v3/pay/transactions/jsapi';
const body = JSON.stringify({ mchid: '1900000001', out_trade_no: '1217752501201407033233368018', description: 'Tea', amount: { total: 1 } }); // prettier-ignore
const crowds = [1, 32, 128] as const;
/** What one program of this machine usually has. */
const usual = 32;

export async function proxyFigures(bench: ProxyBench): Promise<Figures> {
  await using platform = await startPlatform(bench.material);
  return { ...(await latencies(bench, platform)), ...(await memoryOfCalls(bench, platform)) };
}

async function latencies(bench: ProxyBench, platform: RunningPlatform): Promise<Figures> {
  const { directory, material, rounds, milliseconds } = bench;
  const platformKey = platformKeyOf(material);
  const [keyFile, platformFile] = [join(directory, 'merchant.pem'), join(directory, 'platform.pem')];
  await writeFile(keyFile, toPkcs8Pem(material.merchant.privateKey), { mode: 0o600 });
  await writeFile(platformFile, toSpkiPem(platformKey.publicKey));
  const socket = join(directory, 'bare-proxy.sock');
  const { serialNumber } = material.merchant;
  const parameters = [socket, `http://${platform.address}`, material.merchantId, serialNumber, keyFile, platformFile];
  await using _ = await startProgram(process.execPath, [join(import.meta.dirname, 'bare-proxy.ts'), ...parameters], socket); // prettier-ignore
  const sidecar = await startProxied(bench, platform);
  try {
    const targets = {
      direct: { socket: platform.address, path, body, headers: { Authorization: authorization(bench) } },
      bare: { socket, path, body },
      ours: { socket: proxySocketOf(sidecar), path: `/wechat${path}`, body },
    } satisfies Record<string, Target>;
    const local = localTargets(bench, sidecar.socket);
    const send = (target: Target, callers: number) => load({ ...target, callers, milliseconds });
    // Once for the compilers.
    for (const target of [...Object.values(targets), ...Object.values(local)]) await send(target, usual);
    const figures: Figures = {};
    for (const callers of crowds) {
      const [added50, added99, signVerify, p99, throughput]: number[][] = [[], [], [], [], []];
      for (let round = 0; round < rounds; round += 1) {
        const [direct, bare, ours] = [await send(targets.direct, callers), await send(targets.bare, callers), await send(targets.ours, callers)]; // prettier-ignore
        const added = at(ours, 0.5) - at(direct, 0.5);
        added50?.push(added);
        added99?.push(at(ours, 0.99) - at(direct, 0.99));
        if (callers !== usual) continue;
        const [signed, verified] = [await send(local.sign, callers), await send(local.verify, callers)];
        signVerify?.push(added / (at(signed, 0.5) + at(verified, 0.5)));
        p99?.push(at(ours, 0.99) / at(bare, 0.99));
        throughput?.push(rate(ours) / rate(bare));
      }
      figures[`proxy_added_p50_ms_${String(callers)}`] = median(added50 ?? []);
      figures[`proxy_added_p99_ms_${String(callers)}`] = median(added99 ?? []);
      if (callers !== usual) continue;
      figures['proxy_p50_over_sign_verify'] = median(signVerify ?? []);
      figures['proxy_p99_over_bare_proxy'] = median(p99 ?? []);
      figures['proxy_throughput_over_bare_proxy'] = median(throughput ?? []);
    }
    return figures;
  } finally {
    await sidecar.stop();
  }
}

const at = ({ latencies: sorted }: LoadResult, share: number): number => percentile(sorted, share);
const rate = ({ answers, seconds }: LoadResult): number => answers / seconds;

/** Signed once: what callers without a proxy send. */
function authorization({ material: { merchantId, merchant } }: ProxyBench): string {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = sign('sha256', Buffer.from(`POST\n${path}\n${timestamp}\nnonce\n${body}\n`), merchant.privateKey);
  return `WECHATPAY2-SHA256-RSA2048 mchid="${merchantId}",nonce_str="nonce",timestamp="${timestamp}",serial_no="${merchant.serialNumber}",signature="${signature.toString('base64')}"`;
}

/** One signature and one verification over the local API. */
function localTargets({ material }: ProxyBench, socket: string): { readonly sign: Target; readonly verify: Target } {
  const { privateKey, keyId } = platformKeyOf(material);
  const signature = sign('sha256', Buffer.from(body), privateKey).toString('base64');
  const target = (operation: string, question: object): Target => ({
    ...{ socket, path: `/v1/credentials/wechat/${operation}`, body: JSON.stringify(question) },
  });
  return { sign: target('sign', { message: body }), verify: target('verify', { message: body, signature, keyId }) };
}
