// Signatures through the socket beside what people would use instead, with as many callers: servers of an afternoon, OpenBao's transit, SDKs in process.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AlipaySdk } from 'alipay-sdk';
import { Rsa } from 'wechatpay-axios-plugin';
import type { WechatpayMaterial } from '../../src/testing/index.ts';
import { toPkcs8Pem } from '../../src/testing/key-pair.ts';
import { Bao, noBao } from '../support/bao.ts';
import { exchange } from '../support/http-client.ts';
import { noPeer, peerPath } from '../support/peers.ts';
import { importKey } from '../support/transit.ts';
import { type Loads, median, percentile, type Sidecar, startLoads, startSidecar } from './fixture.ts';
import { inTurn, type Pass, sliceMilliseconds, type Target, warm } from './in-turn.ts';
import type { LoadResult } from './load.ts';
import { startProgram } from './program.ts';
import { type Figures, loopRate } from './rates.ts';

export interface PeerBench {
  readonly directory: string;
  readonly sidecar: Sidecar;
  readonly material: WechatpayMaterial;
  readonly rounds: number;
  readonly milliseconds: number;
}

/** What every pair has: callers that are compiled, and the sidecar, which has served for a while. */
interface Pairs {
  readonly bench: PeerBench;
  readonly loads: Loads;
  readonly ours: Target;
  readonly passes: number;
}

const message =
  'POST\n/v3/pay/transactions/jsapi\n1800000000\n593BEC0C930BF1AFEB40B4A08C8FB242\n{"amount":{"total":1}}\n';
const crowds = [1, 8, 32, 128] as const;
/** What one program of this machine usually has. */
const usual = 32;
/** Of slices of each: in a single one, whatever the machine did meanwhile is the figure. */
const fewest = 7;

export async function peerRates(bench: PeerBench): Promise<Figures> {
  const ours: Target = {
    socket: bench.sidecar.socket,
    path: '/v1/credentials/wechat/sign',
    body: JSON.stringify({ message }),
    program: bench.sidecar.process,
  };
  using loads = startLoads();
  const passes = Math.max(Math.ceil((bench.rounds * bench.milliseconds) / sliceMilliseconds), fewest);
  const pairs = { bench, loads, ours, passes };
  await prepare(pairs, ours);
  return {
    ...(await besideNode(pairs)),
    ...(await besideGo(pairs)),
    ...(await besideTransit(pairs)),
    ...(await besideSdks(pairs)),
  };
}

/** Who is compared signs the same text by the same key, or by one of its own that is as long; then it is warmed. */
async function prepare(
  { bench, loads }: Pairs,
  target: Target,
  key: 'the same' | 'its own' = 'the same',
): Promise<void> {
  const { socket, path, body, headers } = target;
  const { status, text } = await exchange(socket, { method: 'POST', path, body, headers: { 'Content-Type': 'application/json', ...headers } }); // prettier-ignore
  const [, signature = ''] = /"signature": ?"(?:vault:v1:)?([^"]+)"/.exec(text) ?? [];
  const bytes = Buffer.from(signature, 'base64');
  assert.deepEqual([status, bytes.byteLength], [200, 256], text);
  const merchant = createPublicKey(bench.material.merchant.privateKey);
  if (key === 'the same')
    assert.ok(verify('sha256', Buffer.from(message), merchant, bytes), `${path} does not sign it`);
  await warm(loads, target, usual);
}

const rate = ({ answers, seconds }: LoadResult): number => answers / seconds;

type Both = Pass<'ours' | 'theirs'>;

/** Median of what each pass gives. */
const middle = (passes: readonly Both[], figure: (pass: Both) => number): number => median(passes.map(figure));
const beside = ({ loads, ours, passes }: Pairs, theirs: Target, callers: number): Promise<readonly Both[]> =>
  inTurn(loads, { theirs, ours }, { callers, passes });
const ratio = (passes: readonly Both[]): number => middle(passes, ({ ours, theirs }) => rate(ours) / rate(theirs));
const p99Ratio = (passes: readonly Both[]): number =>
  middle(passes, ({ ours, theirs }) => percentile(ours.latencies, 0.99) / percentile(theirs.latencies, 0.99));

async function besideNode(pairs: Pairs): Promise<Figures> {
  const { bench, ours } = pairs;
  const [socket, key] = [join(bench.directory, 'node.sock'), join(bench.directory, 'key.pem')];
  await writeFile(key, toPkcs8Pem(bench.material.merchant.privateKey), { mode: 0o600 });
  const server = join(import.meta.dirname, 'node-server.ts');
  await using node = await startProgram(process.execPath, [server, socket, key], socket);
  const theirs = { ...ours, socket, program: node.process };
  await prepare(pairs, theirs);
  const [ratios, others]: [Figures, Figures] = [{}, {}];
  for (const callers of crowds) {
    const passes = await beside(pairs, theirs, callers);
    ratios[`sign_over_node_server_${String(callers)}`] = ratio(passes);
    others[`sign_cpu_over_node_server_${String(callers)}`] = middle(passes, (pass) => pass.ours.cpu / pass.theirs.cpu);
    others[`sign_p99_over_node_server_${String(callers)}`] = p99Ratio(passes);
    others[`sign_callers_share_${String(callers)}`] = middle(passes, ({ ours: { callersCpu, cpu } }) => callersCpu / (callersCpu + cpu)); // prettier-ignore
  }
  return { sign_over_node_server: Math.min(...Object.values(ratios)), ...ratios, ...others };
}

async function besideGo(pairs: Pairs): Promise<Figures> {
  if (isMissing(noPeer('goserver'))) return {};
  const socket = join(pairs.bench.directory, 'go.sock');
  await using _ = await startProgram(peerPath('goserver'), [socket], socket);
  const theirs = { socket, path: '/sign', body: pairs.ours.body };
  await prepare(pairs, theirs, 'its own');
  const passes = await beside(pairs, theirs, usual);
  return { sign_over_go_sidecar: ratio(passes), p99_over_go_sidecar: p99Ratio(passes) };
}

async function besideTransit(pairs: Pairs): Promise<Figures> {
  if (isMissing(noBao)) return {};
  const { bench } = pairs;
  await using bao = await Bao.start();
  await bao.owner('POST', 'sys/mounts/transit', { type: 'transit' });
  await importKey(bao, 'merchant', bench.material.merchant.privateKey);
  const { auth } = await bao.owner('POST', 'auth/token/create', { policies: ['root'] });
  const overTcp = {
    socket: new URL(bao.url).host,
    path: '/v1/transit/sign/merchant',
    headers: { 'X-Vault-Token': auth?.client_token ?? '' },
    body: JSON.stringify({
      input: Buffer.from(message).toString('base64'),
      hash_algorithm: 'sha2-256',
      signature_algorithm: 'pkcs1v15',
    }),
  };
  const theirs = { ...overTcp, socket: bao.socket };
  await prepare(pairs, theirs);
  const passes = await beside(pairs, theirs, usual);
  return { sign_over_transit: ratio(passes), remote_sign_over_service: await throughPaycert(pairs, bao, overTcp) };
}

/** A sidecar whose key stays in transit, beside callers who ask transit by themselves: both reach it by TCP, with the same key. */
async function throughPaycert(pairs: Pairs, bao: Bao, theirs: Target): Promise<number> {
  const { bench } = pairs;
  const directory = join(bench.directory, 'remote');
  const keys = join(directory, 'keys');
  await mkdir(keys, { recursive: true });
  for (const [name, bytes] of bench.material.files)
    if (!name.includes('/'))
      await writeFile(join(keys, name), name === 'apiclient_key.pem' ? 'hashivault://merchant?version=1' : bytes);
  const tokenFile = await bao.tokenFile();
  const keyServices = `keyServices: { hashivault: { address: "${bao.url}", auth: { token: { tokenFile: ${tokenFile} } } } }\n`;
  const sidecar = await startSidecar(directory, [{ name: 'wechat', path: keys }], keyServices);
  try {
    const remote = { ...pairs, ours: { ...pairs.ours, socket: sidecar.socket, program: sidecar.process } };
    await prepare(remote, remote.ours);
    return ratio(await beside(remote, theirs, usual));
  } finally {
    await sidecar.stop();
  }
}

/** An SDK signs in the thread of its program, and reads the key's PEM for each signature. */
async function besideSdks({ bench, loads, ours, passes }: Pairs): Promise<Figures> {
  const pem = toPkcs8Pem(bench.material.merchant.privateKey);
  const alipay = new AlipaySdk({ appId: '2021000000000001', privateKey: pem, keyType: 'PKCS8' });
  const sdks = {
    wechatpay_axios_plugin: () => void Rsa.sign(message, pem),
    alipay_sdk: () => void alipay.sdkExecute('alipay.trade.query', { bizContent: { out_trade_no: '1001' } }),
  };
  const figures: Figures = {};
  for (const [name, sign] of Object.entries(sdks)) {
    const ratios: number[] = [];
    // Once for the compiler.
    await loopRate(sliceMilliseconds, sign);
    for (let pass = 0; pass < passes; pass += 1) {
      const theirs = await loopRate(sliceMilliseconds, sign);
      const [both] = await inTurn(loads, { ours }, { callers: usual, passes: 1 });
      if (both !== undefined) ratios.push(rate(both.ours) / theirs);
    }
    figures[`sign_over_${name}`] = median(ratios);
  }
  return figures;
}

/** Says which peer is not here: its figures are left out. */
function isMissing(reason: string | false): boolean {
  if (reason !== false) process.stderr.write(`skipped: ${reason}\n`);
  return reason !== false;
}
