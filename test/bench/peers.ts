// Signatures through the socket beside what people would use instead, with as many callers: servers of an afternoon, OpenBao's transit, SDKs in process.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AlipaySdk } from 'alipay-sdk';
import { Rsa } from 'wechatpay-axios-plugin';
import type { WechatpayMaterial } from '../../src/testing/index.ts';
import { toPkcs8Pem } from '../../src/testing/key-pair.ts';
import { Bao, noBao } from '../support/bao.ts';
import { noPeer, peerPath } from '../support/peers.ts';
import { importKey } from '../support/transit.ts';
import { load, median, percentile, type Sidecar, startSidecar } from './fixture.ts';
import type { Load, LoadResult } from './load.ts';
import { startProgram } from './program.ts';
import { type Figures, loopRate } from './rates.ts';

export interface PeerBench {
  readonly directory: string;
  readonly sidecar: Sidecar;
  readonly material: WechatpayMaterial;
  readonly rounds: number;
  readonly milliseconds: number;
}

/** Where a peer signs. */
type Target = Pick<Load, 'socket' | 'path' | 'body' | 'headers'>;

const message =
  'POST\n/v3/pay/transactions/jsapi\n1800000000\n593BEC0C930BF1AFEB40B4A08C8FB242\n{"amount":{"total":1}}\n';
const crowds = [1, 8, 32, 128] as const;
/** What one program of this machine usually has. */
const usual = 32;

export async function peerRates(bench: PeerBench): Promise<Figures> {
  const ours: Target = {
    socket: bench.sidecar.socket,
    path: '/v1/credentials/wechat/sign',
    body: JSON.stringify({ message }),
  };
  return {
    ...(await besideNode(bench, ours)),
    ...(await besideGo(bench, ours)),
    ...(await besideTransit(bench, ours)),
    ...(await besideSdks(bench, ours)),
  };
}

const rate = ({ answers, seconds }: LoadResult): number => answers / seconds;

/** Each in turn, for the machine's speed drifts. */
async function inTurn(
  { rounds, milliseconds }: PeerBench,
  ours: Target,
  theirs: Target,
  callers: number,
): Promise<readonly { readonly ours: LoadResult; readonly theirs: LoadResult }[]> {
  const pairs: { ours: LoadResult; theirs: LoadResult }[] = [];
  for (let round = 0; round < rounds; round += 1)
    pairs.push({
      theirs: await load({ ...theirs, callers, milliseconds }),
      ours: await load({ ...ours, callers, milliseconds }),
    });
  return pairs;
}

type Pairs = Awaited<ReturnType<typeof inTurn>>;

const ratio = (pairs: Pairs): number => median(pairs.map(({ ours, theirs }) => rate(ours) / rate(theirs)));
const p99Ratio = (pairs: Pairs): number =>
  median(pairs.map(({ ours, theirs }) => percentile(ours.latencies, 0.99) / percentile(theirs.latencies, 0.99)));

async function besideNode(bench: PeerBench, ours: Target): Promise<Figures> {
  const [socket, key] = [join(bench.directory, 'node.sock'), join(bench.directory, 'key.pem')];
  await writeFile(key, toPkcs8Pem(bench.material.merchant.privateKey), { mode: 0o600 });
  await using _ = await startProgram(
    process.execPath,
    [join(import.meta.dirname, 'node-server.ts'), socket, key],
    socket,
  );
  const figures: Figures = {};
  for (const callers of crowds)
    figures[`sign_over_node_server_${String(callers)}`] = ratio(
      await inTurn(bench, ours, { ...ours, socket }, callers),
    );
  return { sign_over_node_server: Math.min(...Object.values(figures)), ...figures };
}

async function besideGo(bench: PeerBench, ours: Target): Promise<Figures> {
  if (isMissing(noPeer('goserver'))) return {};
  const socket = join(bench.directory, 'go.sock');
  await using _ = await startProgram(peerPath('goserver'), [socket], socket);
  const pairs = await inTurn(bench, ours, { ...ours, socket, path: '/sign' }, usual);
  return { sign_over_go_sidecar: ratio(pairs), p99_over_go_sidecar: p99Ratio(pairs) };
}

async function besideTransit(bench: PeerBench, ours: Target): Promise<Figures> {
  if (isMissing(noBao)) return {};
  await using bao = await Bao.start();
  await bao.owner('POST', 'sys/mounts/transit', { type: 'transit' });
  await bao.owner('POST', 'transit/keys/pay', { type: 'rsa-2048' });
  const { auth } = await bao.owner('POST', 'auth/token/create', { policies: ['root'] });
  const target = {
    socket: new URL(bao.url).host,
    path: '/v1/transit/sign/pay',
    headers: { 'X-Vault-Token': auth?.client_token ?? '' },
    body: JSON.stringify({
      input: Buffer.from(message).toString('base64'),
      hash_algorithm: 'sha2-256',
      signature_algorithm: 'pkcs1v15',
    }),
  };
  return {
    sign_over_transit: ratio(await inTurn(bench, ours, target, usual)),
    remote_sign_over_service: await throughPaycert(bench, { bao, ours, target }),
  };
}

interface Service {
  readonly bao: Bao;
  readonly ours: Target;
  readonly target: Target;
}

/** A sidecar whose key stays in transit, beside callers who ask transit by themselves: both with the same key. */
async function throughPaycert(bench: PeerBench, { bao, ours, target }: Service): Promise<number> {
  const directory = join(bench.directory, 'remote');
  const keys = join(directory, 'keys');
  await mkdir(keys, { recursive: true });
  await importKey(bao, 'merchant', bench.material.merchant.privateKey);
  for (const [name, bytes] of bench.material.files)
    if (!name.includes('/'))
      await writeFile(join(keys, name), name === 'apiclient_key.pem' ? 'hashivault://merchant?version=1' : bytes);
  const tokenFile = await bao.tokenFile();
  const keyServices = `keyServices: { hashivault: { address: "${bao.url}", auth: { token: { tokenFile: ${tokenFile} } } } }\n`;
  const sidecar = await startSidecar(directory, [{ name: 'wechat', path: keys }], keyServices);
  try {
    const remote = { ...ours, socket: sidecar.socket };
    // What has just started compiles first; the other one has served for a while.
    await load({ ...remote, callers: usual, milliseconds: bench.milliseconds });
    return ratio(await inTurn(bench, remote, { ...target, path: '/v1/transit/sign/merchant' }, usual));
  } finally {
    await sidecar.stop();
  }
}

/** An SDK signs in the thread of its program, and reads the key's PEM for each signature. */
async function besideSdks(bench: PeerBench, ours: Target): Promise<Figures> {
  const pem = toPkcs8Pem(bench.material.merchant.privateKey);
  const alipay = new AlipaySdk({ appId: '2021000000000001', privateKey: pem, keyType: 'PKCS8' });
  const sdks = {
    wechatpay_axios_plugin: () => void Rsa.sign(message, pem),
    alipay_sdk: () => void alipay.sdkExecute('alipay.trade.query', { bizContent: { out_trade_no: '1001' } }),
  };
  const figures: Figures = {};
  for (const [name, sign] of Object.entries(sdks)) {
    const ratios: number[] = [];
    for (let round = 0; round < bench.rounds; round += 1) {
      const theirs = await loopRate(bench.milliseconds, sign);
      ratios.push(rate(await load({ ...ours, callers: usual, milliseconds: bench.milliseconds })) / theirs);
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
