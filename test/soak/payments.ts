// Payments through the proxy while everything happens to them once: rotations, an outage, another APIv3 key, a clock that jumps, a host that fails.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createSecretVolume,
  createWechatpayMaterial,
  makeNotification,
  rotateApiV3Key,
  rotateMerchant,
  startWechatpayGateway,
  type WechatpayMaterial,
} from '../../src/testing/index.ts';
import { Random } from '../fuzz/random.ts';
import { exchange } from '../support/http-client.ts';
import { Front, type Ledger } from './front.ts';
import { Payers, type Payments } from './payers.ts';
import { type Sidecar, startSidecar } from './sidecar.ts';
import type { Verdict } from './soak.ts';

export interface PaymentsOptions {
  readonly requests: number;
  readonly callers: number;
  readonly tell: (line: string) => void;
}

const merchantId = '1900000001';
/** For what happens by itself: a probe of a host that was away, a breaker that closes. */
const longestWait = 60_000;
const jumpMilliseconds = 90_000;

/** So that an incident begins in the midst of others' calls, and each takes about its share of the run. */
const parts = 10;

export async function soakPayments({ requests, callers, tell }: PaymentsOptions): Promise<Verdict[]> {
  const directory = await mkdtemp(join(tmpdir(), 'paycert-payments-'));
  let ahead = 0;
  const now = () => new Date(Date.now() + ahead);
  let material = await createWechatpayMaterial({ merchantId, now: new Date() });
  await using gateway = await startWechatpayGateway({ now });
  gateway.admit(material);
  const ledger: Ledger = new Map();
  const chance = new Random('payments');
  const random = () => chance.below(1_000_000) / 1_000_000;
  const front = () => new Front({ url: gateway.url, ledger, now, random });
  const [primary, spare] = [await front().open(), await front().open()];
  const secret = join(directory, 'secret');
  const volume = await createSecretVolume(secret, material.files);
  const socket = join(directory, 'proxy.sock');
  const routes = [{ credential: 'shop', double: primary.origin, spareDouble: spare.origin }];
  const proxy = { listen: { socket }, routes, spareShare: 0.01, correctClock: true, deadline: '10s' };
  const sidecar = await startSidecar(directory, secret, merchantId, { proxy });
  let payers: Payers | undefined;
  try {
    const started = performance.now();
    payers = new Payers({ socket, merchantId, callers });
    const part = () => payers?.after(requests / parts);
    const step = (what: string) => tell(`${String(payers?.requests ?? 0)} requests: ${what}`);
    /** The platform knows a new certificate before the sidecar does, as in real life. */
    const admit = async (next: WechatpayMaterial): Promise<void> => {
      material = next;
      gateway.admit(next);
      const swapped = sidecar.next('swapped');
      await volume.write(next.files);
      await inTime(swapped);
    };
    const rotate = async () => admit(await rotateMerchant(material, { now: new Date() }));

    await part();
    step('the first rotation');
    await rotate();
    await part();
    step('nobody can connect to the primary host');
    await primary.close();
    const isOnSpare = await inTime(sidecar.next('failed-over'));
    await part();
    step('the primary host is back');
    const back = sidecar.next('failed-back');
    await primary.open();
    const isBack = await inTime(back);
    await part();
    step('the second rotation');
    await rotate();
    await part();
    step('another APIv3 key');
    const before = material;
    await admit(rotateApiV3Key(material));
    const opened = await Promise.all([before, material].map((one) => opens(sidecar, one, now())));
    await part();
    step('the clock of the platform jumps by 90 s');
    ahead = jumpMilliseconds;
    await part();
    step('both hosts fail');
    primary.mood = spare.mood = 'fails';
    const isOpen = await inTime(until(sidecar, (breakers) => breakers.includes('open')));
    primary.mood = spare.mood = 'works';
    const isClosed = await inTime(until(sidecar, (breakers) => breakers.every((one) => one === 'closed')));
    await part();
    step('the third rotation');
    await rotate();
    await part();
    // The rest, where incidents took less than their share.
    await payers.after(Math.max(requests - payers.requests, 0));
    const hosts = await hostsOf(sidecar);
    const breakers = breakersOf(hosts);
    const payments = await payers.stop();
    const seconds = (performance.now() - started) / 1000;
    const exitCode = await sidecar.stop();
    return [
      ...judge(payments, ledger, { requests, seconds }),
      verdict(isOnSpare && isBack, 'calls moved to the spare host while nobody could connect to the primary one, and back'),
      verdict(opened.every(Boolean), 'notifications under the APIv3 key before and after it was replaced open'),
      verdict(
        isOpen && isClosed && breakers.every((one) => one === 'closed'), `the breaker opened while the hosts failed (${String(isOpen)}), closed when they worked (${String(isClosed)}), and is at the end: ${breakers.join(', ')}`),
      verdict(hosts.some(({ clock }) => clock?.corrected === true && Math.abs(clock.aheadSeconds + 90) <= 1), `the clock of the platform is known: ${JSON.stringify(hosts.map(({ clock }) => clock?.aheadSeconds))}`),
      verdict(exitCode === 0 && !sidecar.logged.has('internal-error'), `it ended with exit code ${String(exitCode)}, and logged ${JSON.stringify(Object.fromEntries(sidecar.logged))}`),
      verdict(true, `what the hosts did on purpose: ${JSON.stringify([primary, spare].map(({ troubles }) => Object.fromEntries(troubles)))}`),
    ];
  } finally {
    payers?.kill();
    await sidecar.stop();
    await Promise.all([primary.end(), spare.end()]);
    await rm(directory, { recursive: true, force: true });
  }
} // prettier-ignore

const verdict = (isMet: boolean, what: string): Verdict => ({ isMet, what });

const inTime = (seen: Promise<unknown>): Promise<boolean> =>
  Promise.race([seen.then(() => true), sleep(longestWait, false, { ref: false })]);

/** What callers were told, held against what the platform did. */
function judge(
  { requests: made, unverified, orders, statuses, keyIds }: Payments,
  ledger: Ledger,
  { requests, seconds }: { readonly requests: number; readonly seconds: number },
): Verdict[] {
  const numbers = Object.entries(orders);
  const of = (heard: string) => numbers.filter(([, one]) => one === heard).map(([number]) => number);
  const accepted = (some: readonly string[]) => some.filter((number) => ledger.has(number)).length;
  const [ok, refused, unknown] = ['ok', 'refused', 'unknown'].map(of) as [string[], string[], string[]];
  const duplicates = [...ledger.values()].filter((times) => times > 1).length;
  return [
    verdict(made >= requests, `${made} of ${requests} requests in ${seconds.toFixed(0)} s; responses ${JSON.stringify(statuses)}`),
    verdict(unverified === 0, `${unverified} responses were delivered that do not verify`),
    verdict(accepted(refused) === 0, `${accepted(refused)} of ${refused.length} orders that were reported as not done were done`),
    verdict(accepted(ok) === ok.length, `${accepted(ok)} of ${ok.length} orders that were reported as done were done`),
    verdict(ok.length + refused.length + unknown.length === numbers.length, `${unknown.length} orders were reported as unknown, of which ${accepted(unknown)} were done`),
    verdict(duplicates === 0, `${duplicates} of ${ledger.size} orders were accepted twice`),
    verdict(keyIds.length === 4, `${keyIds.length} keys signed, the first and those of three rotations`),
  ];
} // prettier-ignore

/** Whether the local API opens a notification that was sealed with the APIv3 key of that material. */
async function opens({ socket }: Sidecar, { platformKeys, apiV3Key }: WechatpayMaterial, now: Date): Promise<boolean> {
  const [platformKey] = platformKeys;
  if (platformKey === undefined) return false;
  const { headers, body } = makeNotification({ platformKey, apiV3Key, now, resource: { out_trade_no: '1' } });
  const { status } = await exchange(socket, {
    path: '/v1/credentials/shop/notification',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ headers, body: Buffer.from(body).toString() }),
  });
  return status === 200;
}

interface Host {
  readonly credentials?: readonly { readonly breaker: string }[];
  readonly clock?: { readonly aheadSeconds: number; readonly corrected: boolean };
}

async function hostsOf({ socket }: Sidecar): Promise<readonly Host[]> {
  const { text } = await exchange(socket, { path: '/statusz' });
  return (JSON.parse(text) as { hosts?: Host[] }).hosts ?? [];
}

const breakersOf = (hosts: readonly Host[]): string[] =>
  hosts.flatMap(({ credentials = [] }) => credentials.map(({ breaker }) => breaker));

/** Asks until the breakers of all hosts are so. */
async function until(sidecar: Sidecar, isSo: (breakers: readonly string[]) => boolean): Promise<void> {
  while (!isSo(breakersOf(await hostsOf(sidecar)))) await sleep(100);
}
