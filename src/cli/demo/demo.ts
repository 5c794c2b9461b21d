// paycert demo: the whole of it on material made here. No cluster, no account, no internet.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../clock.ts';
import type { SourceConfig } from '../../config/schema/source.ts';
import { createWechatpayMaterial, startWechatpayGateway } from '../../testing/index.ts';
import { startOrigin } from './origins.ts';
import { type Outcome, rotate } from './rotations.ts';
import { type Counts, driveTraffic } from './traffic.ts';
import { createView, describeOutcome, type Facts } from './view.ts';
import { ReloadWatch } from './watch.ts';
import { runSidecar } from '../sidecar.ts';
import { usageError } from '../command.ts';
import { print } from '../table.ts';
import { runTasks } from '../../tasks.ts';

export interface DemoOptions {
  readonly version: string;
  readonly durationMilliseconds?: number;
  /** Where the keys come from. */
  readonly origin?: string;
  /** What starts this command line, to be pasted before `status`. */
  readonly paycert: string;
}

const credential = 'wechat-main';
const merchantId = '1900000001';
const clock = systemClock;

/** Exit code 0 only if no request failed, and every rotation and rejection was seen. */
export async function runDemo(
  { version, durationMilliseconds = Infinity, origin = 'files', paycert }: DemoOptions,
  interrupted: AbortSignal,
): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'paycert-demo-'));
  try {
    return await play(directory, { version, durationMilliseconds, origin, paycert }, interrupted);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function play(
  directory: string,
  { version, durationMilliseconds, origin: originName, paycert }: Required<DemoOptions>,
  interrupted: AbortSignal,
): Promise<number> {
  const socket = join(directory, 'paycert.sock');
  const configPath = join(directory, 'paycert.yaml');
  await using origin = await startOrigin(originName, directory, process.env);
  print(introduction);
  const material = await createWechatpayMaterial({ merchantId, now: clock.now() });
  await origin.write(material.files);
  await using gateway = await startWechatpayGateway();
  gateway.admit(material);
  const [tokenPath, token] = [join(directory, 'proxy-token'), randomBytes(8).toString('hex')];
  await writeFile(tokenPath, token, { mode: 0o600 });
  await writeFile(configPath, configuration({ socket, source: origin.source, tokenPath, gateway: gateway.url }));

  const counts: Counts = { requests: 0, failures: 0 };
  const outcomes: Outcome[] = [];
  const watch = new ReloadWatch();
  const stopSidecar = new AbortController();
  const sidecar = runSidecar(
    {
      config: { path: configPath },
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

  const baseUrl = `http://${watch.addresses.get('proxy-tcp') ?? ''}/~${token}/${credential}`;
  const { addresses } = watch;
  const lines = describeLines({ socket, addresses, baseUrl, gateway: gateway.url, configPath, paycert });
  const facts = (): Facts => ({
    counts,
    outcomes,
    generation: watch.generation,
    keyId: watch.keyId,
    notAfter: watch.notAfter,
  });
  lines.forEach((line) => print(line));
  const view = createView();
  const tell = (outcome: Outcome) => {
    outcomes.push(outcome);
    view.tell(`${describeOutcome(outcome)}\n         ${counts.requests} requests, ${counts.failures} failures`);
  };
  const traffic = { baseUrl, merchantId, callers: 8, pauseMilliseconds: 20, clock };
  const timeUp = new AbortController();
  const signal = AbortSignal.any([interrupted, timeUp.signal]);
  try {
    await runTasks(
      [
        (stop) => driveTraffic(traffic, counts, stop),
        (stop) =>
          rotate(
            material,
            { origin, gateway, clock, pauseMilliseconds: 2000, nextReload: () => watch.next(), tell },
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
  const code = summarize(counts, outcomes, gateway.counts.refused);
  if (interrupted.aborted || outcomes.some(({ actual }) => actual === 'swapped')) return code;
  throw usageError('--duration was too short to see a rotation; give it 10s or more');
}

interface Places {
  readonly socket: string;
  readonly source: SourceConfig;
  readonly tokenPath: string;
  readonly gateway: string;
}

const configuration = ({
  socket,
  source,
  tokenPath,
  gateway,
}: Places): string => `listen: { socket: ${JSON.stringify(socket)}, tcp: { address: "127.0.0.1:0", insecure: true } }
proxy:
  listen: { tcp: { address: "127.0.0.1:0", tokenFile: ${JSON.stringify(tokenPath)} } }
  routes: [{ credential: ${credential}, double: ${JSON.stringify(gateway)} }]
admin: { address: "127.0.0.1:0" }
credentials:
  - name: ${credential}
    required: true
    require: [sign, verify, decrypt]
    provider: { wechatpay: { merchantId: "${merchantId}" } }
    source: ${JSON.stringify(source)}
`;

/** What is about to be seen, before anything of it is. */
const introduction = `A sidecar with made-up keys of WeChat Pay, a gateway that checks every
signature, and eight callers that hold no key: they know one base URL, that of
the signing proxy. Every two seconds the keys change: well or badly. No request
may fail; good keys become current; bad ones are rejected and change nothing.
Making keys and certificates …
`;

interface Running {
  readonly socket: string;
  readonly addresses: ReadonlyMap<string, string>;
  readonly baseUrl: string;
  readonly gateway: string;
  readonly configPath: string;
  readonly paycert: string;
}

/** To look around and to paste, at most 80 columns wide but for paths that are longer. */
function describeLines({ socket, addresses, baseUrl, gateway, configPath, paycert }: Running): string[] {
  const api = `http://${addresses.get('tcp') ?? ''}/v1/credentials/${credential}`;
  const json = "-H 'Content-Type: application/json'";
  return [
    `configuration  ${configPath}`,
    `socket         ${socket}`,
    `gateway        ${gateway}`,
    '',
    'Paste into another terminal: status, a call through the proxy, a signature, a',
    'signed request, metrics.',
    '',
    `${paycert} status \\\n  --socket ${socket}`,
    `curl ${baseUrl}/v3/certificates`,
    `curl --unix-socket ${socket} \\\n  ${json} -d '{"message":"hello"}' \\\n  http://paycert/v1/credentials/${credential}/sign`,
    `curl ${json} \\\n  -d '{"method":"GET","url":"/v3/certificates"}' \\\n  ${api}/authorize`,
    `curl http://${addresses.get('admin') ?? ''}/metrics`,
    '',
    'Ctrl-C ends it.',
    '',
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
