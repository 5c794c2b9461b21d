// Sidecars that crash while the Secret is bad: with what they had accepted they sign on, and what fixes the Secret replaces it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { withMismatchedPair } from '../../src/testing/index.ts';
import { killContainer } from './cluster.ts';
import { eventually, kubectl } from './kubernetes.ts';
import { condition, containerOf, logOf, sample, scrape } from './questions.ts';
import { countsOf, rotate, signOn } from './traffic.ts';
import type { World } from './world.ts';

const restored = 'paycert_restored_since_timestamp_seconds{credential="wechat-main"}';
const rejected = 'paycert_reloads_total{credential="wechat-main",outcome="rejected",reason="key-mismatch"}';

export function restarts(world: () => World): void {
  it('signs on after a crash while the Secret is bad, with what it had accepted, until the Secret is good', async (t) => {
    const { pay, current } = world();
    const names = await kubectl('get', 'pods', '-n', pay, '-l', 'app=shop', '-o', 'jsonpath={.items[*].metadata.name}');
    const [shop = ''] = names.split(' ');
    const crashing = [shop, 'mount'];
    const rejections = async (pod: string) => sample(await scrape(world(), pod), rejected) ?? 0;
    const before = new Map(await Promise.all(crashing.map(async (pod) => [pod, await rejections(pod)] as const)));
    await world().writeSecret('wechat-main', await withMismatchedPair(current));
    for (const pod of crashing)
      await eventually(`${pod} has rejected it`, 30, async () => (await rejections(pod)) > before.get(pod)!);
    const { retries } = (await signOn(world())).mount;

    const killed = await Promise.all(
      crashing.map(async (pod) => killContainer(await containerOf(world(), pod, 'initContainerStatuses'))),
    );
    if (killed.includes(false)) {
      await world().deploy(current);
      t.skip('the containers do not run on this machine, or we are not root');
      return;
    }
    const crashed = Date.now();
    for (const pod of crashing)
      await eventually(`${pod} runs again, with what was kept`, 30, async () => {
        const since = sample(await scrape(world(), pod), restored);
        return since !== undefined && since * 1000 > crashed - 1000;
      });
    t.diagnostic(`restored ${String((Date.now() - crashed) / 1000)} s after the crash`);
    await eventually('the caller had to ask again', 10, async () => (await countsOf(world())).mount.retries > retries);
    const counts = await signOn(world());
    assert.equal(counts.mount.keyId, current.merchant.serialNumber);
    const said = await kubectl('exec', '-n', pay, shop, '-c', 'paycert', '--', 'paycert', 'status');
    assert.match(said, /^restored: wechat-main: since a restart at /m);
    await condition(world(), 'wechat-main', 'Ready False KeyMismatch');

    await rotate(t, world(), { api: 2, mount: 12 });
    for (const pod of crashing)
      await eventually(`${pod} says that it is over`, 15, async () => sample(await scrape(world(), pod), restored) === undefined); // prettier-ignore
    await eventually('the application has repeated calls, and none failed', 10, async () => {
      const log = await logOf(world(), shop, 'shop');
      assert.doesNotMatch(log, /"failed":[1-9]/);
      return /"failed":0,"retries":[1-9]\d*\}\n$/.test(log);
    });
  });
}
