// Rates through the socket, each beside its peer in the same run: openssl speed, a bare loop, bare crypto.sign.
import { execFile } from 'node:child_process';
import {
  createPrivateKey,
  createSecretKey,
  sign as cryptoSign,
  createDecipheriv,
  verify as cryptoVerify,
  type KeyObject,
} from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { poolLimiter } from '../../src/store/limiter.ts';
import { signingPool } from '../../src/system/pool-size.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { material } from '../../src/sources/source.ts';
import { attempt } from '../../src/store/attempt.ts';
import { Store } from '../../src/store/store.ts';
import { systemClock } from '../../src/clock.ts';
import { encryptResource, type WechatpayMaterial } from '../../src/testing/index.ts';
import { load, median, percentile, type Sidecar } from './fixture.ts';

export interface Bench {
  readonly sidecar: Sidecar;
  readonly material: WechatpayMaterial;
  readonly rounds: number;
  readonly milliseconds: number;
}

export type Figures = Record<string, number>;

const path = (operation: string): string => `/v1/credentials/wechat/${operation}`;
const message =
  'POST\n/v3/pay/transactions/jsapi\n1800000000\n593BEC0C930BF1AFEB40B4A08C8FB242\n{"amount":{"total":1}}\n';

/** Signatures per second of OpenSSL's own benchmark on all cores. */
async function opensslRate(milliseconds: number): Promise<number> {
  const seconds = String(Math.max(Math.round(milliseconds / 1000), 1));
  const { stdout } = await promisify(execFile)('openssl', [
    'speed',
    '-multi',
    String(availableParallelism()),
    '-seconds',
    seconds,
    'rsa2048',
  ]);
  return Number(/^rsa 2048 bits\s+\S+\s+\S+\s+([\d.]+)/m.exec(stdout)?.[1]);
}

/** The ratio of two rates, measured in turn: the median of the pairs, since the machine's speed drifts. */
async function paired(
  rounds: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<{ ratio: number; ours: number; theirs: number }> {
  const pairs: { ours: number; theirs: number }[] = [];
  for (let round = 0; round < rounds; round++) pairs.push({ theirs: await theirs(), ours: await ours() });
  return {
    ratio: median(pairs.map((pair) => pair.ours / pair.theirs)),
    ours: median(pairs.map((pair) => pair.ours)),
    theirs: median(pairs.map((pair) => pair.theirs)),
  };
}

async function socketRate(
  { sidecar, milliseconds }: Bench,
  operation: string,
  body: object,
  perResponse = 1,
): Promise<number> {
  const { answers, seconds } = await load({
    socket: sidecar.socket,
    path: path(operation),
    body: JSON.stringify(body),
    callers: 32,
    milliseconds,
  });
  return (answers * perResponse) / seconds;
}

export async function signRates(bench: Bench): Promise<Figures> {
  const batch = (size: number) => () =>
    socketRate(bench, 'sign/batch', { items: Array.from({ length: size }, () => ({ message })) }, size);
  const openssl = () => opensslRate(bench.milliseconds);
  const single = await paired(bench.rounds, () => socketRate(bench, 'sign', { message }), openssl);
  const batch8 = await paired(bench.rounds, batch(8), openssl);
  const batch64 = await paired(bench.rounds, batch(64), openssl);
  return {
    sign_over_openssl: single.ratio,
    sign_batch8_over_openssl: batch8.ratio,
    sign_batch64_over_openssl: batch64.ratio,
    sign_per_s: single.ours,
    openssl_sign_per_s: single.theirs,
  };
}

/** Runs a synchronous loop for that long, yielding nothing: the bare platform. */
export function loopRate(milliseconds: number, work: () => void): Promise<number> {
  const started = performance.now();
  let count = 0;
  for (; performance.now() - started < milliseconds; count++) work();
  return Promise.resolve((count * 1000) / (performance.now() - started));
}

/** `bare`: a Node HTTP server that reads the body and answers `{}`, for what the platform itself costs. */
export async function verifyAndDecryptRates(bench: Bench, bare: Sidecar): Promise<Figures> {
  const [platform] = bench.material.platformKeys;
  if (platform === undefined) throw new Error('the material has no platform key');
  const bytes = Buffer.from(message);
  const signature = cryptoSign('sha256', bytes, platform.privateKey);
  const verifyBody = { message, signature: signature.toString('base64'), keyId: platform.keyId };
  const verify = await paired(
    bench.rounds,
    () => socketRate(bench, 'verify', verifyBody),
    () => loopRate(bench.milliseconds, () => void cryptoVerify('sha256', bytes, platform.publicKey, signature)),
  );

  const plaintext = JSON.stringify({
    transaction_id: '1217752501201407033233368018',
    trade_state: 'SUCCESS',
    amount: { total: 1 },
  });
  const {
    ciphertext,
    nonce,
    associated_data: associatedData,
  } = encryptResource(plaintext, { apiV3Key: bench.material.apiV3Key });
  const decryptBody = { algorithm: 'AEAD_AES_256_GCM', ciphertext, nonce, associatedData };
  const key = createSecretKey(Buffer.from(bench.material.apiV3Key));
  const decryptOnce = () => void openBare(key, ciphertext, nonce, associatedData);
  const decrypt = await paired(
    bench.rounds,
    () => socketRate(bench, 'decrypt', decryptBody),
    () => loopRate(bench.milliseconds, decryptOnce),
  );
  const items = Array.from({ length: 64 }, () => decryptBody);
  const decrypt64 = await paired(
    bench.rounds,
    () => socketRate(bench, 'decrypt/batch', { items }, 64),
    () => loopRate(bench.milliseconds, decryptOnce),
  );
  const empty = await paired(
    bench.rounds,
    () => socketRate({ ...bench, sidecar: bare }, 'decrypt', decryptBody),
    () => loopRate(bench.milliseconds, decryptOnce),
  );
  return {
    verify_over_inprocess: verify.ratio,
    verify_per_s: verify.ours,
    decrypt_over_inprocess: decrypt.ratio,
    decrypt_per_s: decrypt.ours,
    decrypt_batch64_over_inprocess: decrypt64.ratio,
    empty_answer_over_inprocess_decrypt: empty.ratio,
  };
}

/** What a program without paycert would write. */
function openBare(key: KeyObject, ciphertext: string, nonce: string, associatedData: string): string {
  const sealed = Buffer.from(ciphertext, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce), { authTagLength: 16 });
  decipher.setAAD(Buffer.from(associatedData));
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString();
}

async function asyncRate(milliseconds: number, callers: number, work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  let count = 0;
  const caller = async () => {
    for (; performance.now() - started < milliseconds; count++) await work();
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return (count * 1000) / (performance.now() - started);
}

/** The library in process ÷ asynchronous crypto.sign with a KeyObject, both with 32 callers. */
export async function libraryRates({ material: { files, merchantId }, rounds, milliseconds }: Bench): Promise<Figures> {
  const store = new Store();
  store.declare('wechat', { provider: 'wechatpay', isRequired: true, requires: ['sign'] });
  const dependencies = {
    store,
    clock: systemClock,
    limiter: poolLimiter(...signingPool(process.env)),
    observe: () => undefined,
  };
  const credential = {
    name: 'wechat',
    provider: wechatpay({ merchantId }),
    older: 'accept',
    graceMilliseconds: 0,
  } as const;
  const refusal = await attempt(credential, material(files), dependencies);
  if (refusal) throw refusal.error;
  const bytes = Buffer.from(message);
  const key = createPrivateKey(Buffer.from(files.get('apiclient_key.pem') ?? []).toString());
  const bare = () =>
    new Promise((resolve, reject) => {
      cryptoSign('sha256', bytes, key, (error, signature) => {
        if (error) reject(error);
        else resolve(signature);
      });
    });
  const { ratio } = await paired(
    rounds,
    () => asyncRate(milliseconds, 32, () => store.current('wechat').sign(bytes)),
    () => asyncRate(milliseconds, 32, bare),
  );
  return { library_sign_over_crypto: ratio };
}

/** One caller's signature while 32 others send batches of 64. */
export async function fairness({ sidecar, milliseconds }: Bench): Promise<Figures> {
  const items = Array.from({ length: 64 }, () => ({ message }));
  const length = milliseconds * 3;
  const batches = load({
    socket: sidecar.socket,
    path: path('sign/batch'),
    body: JSON.stringify({ items }),
    callers: 32,
    milliseconds: length,
  });
  const single = await load({
    socket: sidecar.socket,
    path: path('sign'),
    body: JSON.stringify({ message }),
    callers: 1,
    milliseconds: length,
  });
  await batches;
  return { single_sign_under_batches_p99_ms: percentile(single.latencies, 0.99) };
}
