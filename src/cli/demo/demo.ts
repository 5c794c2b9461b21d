// paycert demo: the whole of it on material made here. No cluster, no account, no internet.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../clock.ts';
import { createSecretVolume, createWechatpayMaterial, startWechatpayGateway } from '../../testing/index.ts';
import { type Outcome, rotate } from './rotations.ts';
import { type Counts, driveTraffic } from './traffic.ts';
import { createView, describeOutcome, type Facts } from './view.ts';
import { ReloadWatch } from './watch.ts';
import { runSidecar } from '../sidecar.ts';
import { print } from '../table.ts';
import { runTasks } from '../tasks.ts';

export interface DemoOptions {
  readonly version: string;
  readonly durationMilliseconds?: number;
}

const credential = 'wechat-main';
const merchantId = '1900000001';
const clock = systemClock;

/** Exit code 0 only if no request failed, and every rotation and rejection was seen. */
export async function runDemo(
  { version, durationMilliseconds }: DemoOptions,
  interrupted: AbortSignal,
): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'paycert-demo-'));
  try {
    return await play(directory, version, durationMilliseconds ?? Infinity, interrupted);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function play(
  directory: string,
  version: string,
  durationMilliseconds: number,
  interrupted: AbortSignal,
): Promise<number> {
  const socket = join(directory, 'paycert.sock');
  const configPath = join(directory, 'paycert.yaml');
  const secretPath = join(directory, credential);
  print('Making demo material: a CA, a merchant key and certificate, two platform certificates, an APIv3 key …');
  const material = await createWechatpayMaterial({ merchantId, now: clock.now() });
  const volume = await createSecretVolume(secretPath, material.files);
  await writeFile(configPath, configuration(socket, secretPath));
  await using gateway = await startWechatpayGateway();
  gateway.admit(material);

  const counts: Counts = { requests: 0, failures: 0 };
  const outcomes: Outcome[] = [];
  const watch = new ReloadWatch();
  const stopSidecar = new AbortController();
  const sidecar = runSidecar(
    {
      configPath,
      drainMilliseconds: 0,
      version,
      clock,
      environment: process.env,
      observe: watch.observe,
      isSilent: true,
    },
    stopSidecar.signal,
  );
  await Promise.race([watch.next(), sidecar]);

  const urls = describeUrls(socket, watch.addresses, gateway.url, configPath);
  const facts = (): Facts => ({
    counts,
    outcomes,
    generation: watch.generation,
    keyId: watch.keyId,
    notAfter: watch.notAfter,
  });
  urls.forEach((url) => print(url));
  print('Ctrl-C ends it.\n');
  const view = createView();
  const tell = (outcome: Outcome) => {
    outcomes.push(outcome);
    view.tell(`${describeOutcome(outcome)}; ${counts.requests} requests, ${counts.failures} failures`);
  };
  const traffic = { socket, gateway: gateway.url, credential, merchantId, callers: 8, pauseMilliseconds: 20, clock };
  const timeUp = new AbortController();
  const signal = AbortSignal.any([interrupted, timeUp.signal]);
  try {
    await runTasks(
      [
        (stop) => driveTraffic(traffic, counts, stop),
        (stop) =>
          rotate(
            material,
            { volume, gateway, clock, pauseMilliseconds: 2000, nextReload: () => watch.next(), tell },
            stop,
          ),
        async (stop) => {
          // From here on, not from the making of the keys: that takes seconds on a busy machine.
          const started = performance.now();
          while (!stop.aborted) {
            view.refresh(facts(), clock.now());
            const left = durationMilliseconds - (performance.now() - started);
            await clock.sleep(Math.min(left, 200), stop);
            if (left <= 200) timeUp.abort();
          }
        },
      ],
      signal,
    );
  } finally {
    view.close();
    stopSidecar.abort();
  }
  await sidecar;
  return summarize(counts, outcomes, gateway.counts.refused);
}

const configuration = (
  socket: string,
  secretPath: string,
): string => `listen: { socket: ${JSON.stringify(socket)}, tcp: { address: "127.0.0.1:0", insecure: true } }
admin: { address: "127.0.0.1:0" }
credentials:
  - name: ${credential}
    required: true
    require: [sign, verify, decrypt]
    provider: { wechatpay: { merchantId: "${merchantId}" } }
    source: { files: { path: ${JSON.stringify(secretPath)} } }
`;

function describeUrls(
  socket: string,
  addresses: ReadonlyMap<string, string>,
  gateway: string,
  configPath: string,
): string[] {
  const api = `http://${addresses.get('tcp') ?? ''}`;
  const json = "-H 'Content-Type: application/json'";
  return [
    `configuration  ${configPath}`,
    `socket         ${socket}`,
    `gateway        ${gateway}`,
    `curl --unix-socket ${socket} ${json} -d '{"message":"hello"}' http://paycert/v1/credentials/${credential}/sign`,
    `curl ${json} -d '{"method":"GET","url":"/v3/certificates"}' ${api}/v1/credentials/${credential}/authorize`,
    `curl ${api}/v1/credentials/${credential}`,
    `curl http://${addresses.get('admin') ?? ''}/metrics`,
  ];
}

function summarize({ requests, failures, lastFailure }: Counts, outcomes: readonly Outcome[], refused: number): number {
  const missed = outcomes.filter(({ actual, expected }) => actual !== expected);
  const swaps = outcomes.filter(({ actual }) => actual === 'swapped').length;
  print(`${requests} requests, ${failures} failures, ${refused} refused by the gateway`);
  print(`${swaps} rotations and ${outcomes.length - swaps - missed.length} rejections seen, ${missed.length} missed`);
  if (lastFailure !== undefined) print(`last failure: ${lastFailure}`);
  const isGood = failures === 0 && refused === 0 && missed.length === 0 && requests > 0;
  print(isGood ? 'no request failed' : 'something failed');
  return isGood ? 0 : 1;
}
