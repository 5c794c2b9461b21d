// The signing proxy beside a bare reverse proxy, both in front of the same platform in the same run: latency, throughput, and what is added.
import { sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { toPkcs8Pem, toSpkiPem } from '../../src/testing/key-pair.ts';
import { median, percentile, startLoads } from './fixture.ts';
import type { LoadResult } from './load.ts';
import { startProgram } from './program.ts';
import { platformKeyOf, type ProxyBench, proxySocketOf, type RunningPlatform, startPlatform, startProxied } from './proxied.ts'; // prettier-ignore
import { inTurn, type Pass, sliceMilliseconds, type Target, warm } from './in-turn.ts';
import { memoryOfCalls } from './proxy-memory.ts';
import type { Figures } from './rates.ts';

const path = '/v3/pay/transactions/jsapi';
const body = JSON.stringify({ mchid: '1900000001', out_trade_no: '1217752501201407033233368018', description: 'Tea', amount: { total: 1 } }); // prettier-ignore
/** Callers: what one program of this machine usually has. */
const usual = 32;
/** Of slices of each, for what is compared: in a single one, whatever the machine did meanwhile is the figure. */
const fewest = 7;

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
  await using bareProxy = await startProgram(process.execPath, [join(import.meta.dirname, 'bare-proxy.ts'), ...parameters], socket); // prettier-ignore
  const sidecar = await startProxied(bench, platform);
  try {
    const targets = {
      direct: { socket: platform.address, path, body, headers: { Authorization: authorization(bench) } },
      bare: { socket, path, body, program: bareProxy.process },
      ours: { socket: proxySocketOf(sidecar), path: `/wechat${path}`, body, program: sidecar.process },
    } satisfies Record<string, Target>;
    const local = localTargets(bench, sidecar.socket);
    using loads = startLoads();
    for (const target of [...Object.values(targets), ...Object.values(local)]) await warm(loads, target, usual);
    const passes = Math.ceil((rounds * milliseconds) / sliceMilliseconds);
    const figures: Figures = {};
    const note = (callers: number, each: readonly Pass<'ours' | 'direct'>[]) => {
      figures[`proxy_added_p50_ms_${String(callers)}`] = middle(each, (pass) => added(pass, 0.5));
      figures[`proxy_added_p99_ms_${String(callers)}`] = middle(each, (pass) => added(pass, 0.99));
    };
    note(1, await inTurn(loads, targets, { callers: 1, passes }));
    const each = await inTurn(loads, { ...targets, ...local }, { callers: usual, passes: Math.max(passes, fewest) });
    note(usual, each);
    note(128, await inTurn(loads, targets, { callers: 128, passes }));
    // What forty lines reach in the same seconds says how much of ours is the platform's, Node's and the machine's.
    const overLocal = (pass: Pass<'sign' | 'verify'>, milliseconds: number) => milliseconds / (at(pass.sign, 0.5) + at(pass.verify, 0.5)); // prettier-ignore
    figures['proxy_p50_over_sign_verify'] = middle(each, (pass) => overLocal(pass, added(pass, 0.5)));
    figures['bare_p50_over_sign_verify'] = middle(each, (pass) => overLocal(pass, at(pass.bare, 0.5) - at(pass.direct, 0.5))); // prettier-ignore
    figures['proxy_p99_over_bare_proxy'] = middle(each, ({ ours, bare }) => at(ours, 0.99) / at(bare, 0.99));
    figures['proxy_throughput_over_bare_proxy'] = middle(each, ({ ours, bare }) => rate(ours) / rate(bare));
    figures['proxy_cpu_over_bare_proxy'] = middle(each, ({ ours, bare }) => ours.cpu / bare.cpu);
    return figures;
  } finally {
    await sidecar.stop();
  }
}

const middle = <P>(passes: readonly P[], figure: (pass: P) => number): number => median(passes.map(figure));
const at = ({ latencies: sorted }: LoadResult, share: number): number => percentile(sorted, share);
const added = ({ ours, direct }: Pass<'ours' | 'direct'>, share: number) => at(ours, share) - at(direct, share);
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
