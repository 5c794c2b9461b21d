// Everything around paycert breaks, in turn, while keys change: callers notice nothing but what the documented retry hides.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { killContainer, noFaults, restart } from './cluster.ts';
import { eventually, kubectl } from './kubernetes.ts';
import { containerOf, logOf, statusFollows } from './questions.ts';
import { countsOf, rotate, signOn } from './traffic.ts';
import type { World } from './world.ts';

export function faults(world: () => World): void {
  it('loses no change when the operator that leads is killed during a rotation', async (t) => {
    const { system, kubernetes } = world();
    const leader = await leaderOf(world());
    const id = await containerOf(world(), leader, 'containerStatuses', system);
    const started = Date.now();
    await rotate(t, world(), { api: 2 }, { meanwhile: async () => {
        // Killed first where that can be done, so that it cannot give up its Lease.
        killContainer(id);
        await kubectl('delete', 'pod', leader, '-n', system, '--force', '--grace-period=0');
      } }); // prettier-ignore
    await statusFollows(world(), 40);
    t.diagnostic(`the status followed after ${String((Date.now() - started) / 1000)} s`);
    // The status may be the killed one's last act: its Lease runs out after that.
    await eventually('another operator leads', 40, async () => (await leaderOf(world())) !== leader);
    await eventually('both operators are ready', 60, async () => {
      const { items } = await kubernetes.json('GET', `/apis/apps/v1/namespaces/${system}/deployments`);
      return (items as [{ status: { readyReplicas?: number } }])[0].status.readyReplicas === 2;
    });
  });

  // A watch that came through it deaf is found by a list within a minute, or by its silence within a minute and a half.
  for (const [component, limits] of [
    ['kube-apiserver', { api: 60, mount: 120 }],
    ['etcd', { api: 60, mount: 120 }],
    ['kubelet', { api: 2, mount: 120 }],
  ] as const)
    it(`follows a rotation during which ${component} restarts`, { skip: noFaults }, async (t) => {
      await rotate(t, world(), limits, { meanwhile: () => restart(component) });
      await statusFollows(world(), 100);
      await kubectl('wait', 'node', '--all', '--for=condition=Ready', '--timeout=90s');
    });

  it('hides a sidecar that is killed under load behind the documented retry', async (t) => {
    const { retries } = (await signOn(world())).api;
    if (!killContainer(await containerOf(world(), 'api', 'initContainerStatuses'))) {
      t.skip('the container does not run on this machine, or we are not root');
      return;
    }
    await eventually('it runs again', 30, async () => (await countsOf(world())).api.retries > retries);
    const counts = await signOn(world());
    t.diagnostic(`${String(counts.api.retries - retries)} calls were repeated`);
    await eventually('the application says that it has repeated calls, and that none failed', 10, async () => {
      const log = await logOf(world(), 'api', 'shop');
      assert.doesNotMatch(log, /"failed":[1-9]/);
      return /"failed":0,"retries":[1-9]\d*\}\n$/.test(log);
    });
  });
}

/** The pod whose name stands in the Lease. */
async function leaderOf({ kubernetes, system, release }: World): Promise<string> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${system}/leases/${release}-paycert`;
  const { holderIdentity } = (await kubernetes.json('GET', path))['spec'] as { holderIdentity: string };
  return holderIdentity;
}
