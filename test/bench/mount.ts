// How long a mounted Secret takes from its write until a sidecar signs with it, on a real kubelet: with the operator's touch and without.
import { setTimeout as sleep } from 'node:timers/promises';
import { noCluster } from '../e2e/cluster.ts';
import { eventually, kubectl } from '../e2e/kubernetes.ts';
import { byMount, makeIdle, makeVariant, sidecarManifests, wechat } from '../e2e/pods.ts';
import { condition, logOf } from '../e2e/questions.ts';
import { makeToken, World } from '../e2e/world.ts';
import { percentile } from './fixture.ts';

const podsOfEach = 10;
/** Rounds that wait for the touched pods alone, and rounds that wait for all. */
const [quickRounds, wholeRounds] = [10, 4];

export async function measureMount(): Promise<Record<string, number>> {
  if (noCluster !== false) throw new Error(noCluster);
  await using world = await World.make();
  await world.helm('install', '--set', 'refreshPods=true');
  await world.deploy(world.materials.next());
  await world.apply([makeToken(), world.credential('wechat-main', { refreshPods: true })]);
  await condition(world, 'wechat-main', 'Ready True Ready');
  const manifests = makeIdle(sidecarManifests(world.image));
  const names = (kind: string) => Array.from({ length: podsOfEach }, (_, index) => `${kind}-${index}`);
  const [touched, untouched] = [names('touched'), names('untouched')];
  const labels = { 'paycert.dev/refresh': 'wechat-main' };
  const credential = wechat(byMount);
  await world.apply([
    ...manifests.filter(({ kind }) => kind !== 'Deployment'),
    ...touched.flatMap((name) => makeVariant(manifests, { name, credential, labels })),
    ...untouched.flatMap((name) => makeVariant(manifests, { name, credential })),
  ]);
  await kubectl('wait', 'pod', ...touched, ...untouched, '-n', world.pay, '--for=condition=Ready', '--timeout=180s');

  const [withTouch, without]: [number[], number[]] = [[], []];
  for (let round = 0; round < quickRounds + wholeRounds; round += 1) {
    // At any moment of kubelet's own rounds.
    await sleep(10_000 + Math.random() * 10_000);
    const start = Date.now();
    await world.deploy(world.materials.at(round));
    const { serialNumber } = world.current.merchant;
    const wait = (pods: readonly string[], seconds: number) =>
      Promise.all(pods.map((pod) => untilSwapped(world, pod, serialNumber, start, seconds)));
    withTouch.push(...(await wait(touched, 120)));
    if (round >= quickRounds) without.push(...(await wait(untouched, 180)));
  }
  const p99 = (latencies: number[]) => percentile(latencies.sort((a, b) => a - b), 0.99); // prettier-ignore
  return { mount_to_current_p99_s: p99(withTouch), mount_to_current_untouched_p99_s: p99(without) };
}

/** Seconds, as the sidecar's own log tells. */
async function untilSwapped(world: World, pod: string, keyId: string, start: number, limit: number): Promise<number> {
  return eventually(`${pod} has the new key`, limit, async () => {
    await sleep(500);
    const lines = (await logOf(world, pod, 'paycert')).split('\n').filter((line) => line.includes('"event":"swapped"'));
    const swaps = lines.map((line) => JSON.parse(line) as { time: string; keyId: string });
    const swap = swaps.find((swap) => swap.keyId === keyId && Date.parse(swap.time) >= start);
    return swap && (Date.parse(swap.time) - start) / 1000;
  });
}
