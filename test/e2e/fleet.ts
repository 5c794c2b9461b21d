// "The rotation is done" is a fact that a pipeline waits for: from then on, nothing is signed with the old key.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually, kubectl, paycert } from './kubernetes.ts';
import { eventsOf, statusOf } from './questions.ts';
import { signOn } from './traffic.ts';
import type { World } from './world.ts';

export function fleet(world: () => World): void {
  it('lets a pipeline revoke the old certificate once every Pod has the new key, and shows each of them', async (t) => {
    const { pay, kubernetes } = world();
    // Beside the two of the Deployment, the two that the caller asks.
    await kubectl('label', 'pod', 'api', 'mount', '-n', pay, 'paycert.dev/sidecar=true', '--overwrite');
    const isEverywhere = async (snapshotId?: string) => {
      const { conditions = [], fleet } = (await statusOf(world(), 'wechat-main')) ?? {};
      const isSo = conditions.some(({ type, status }) => type === 'RolledOut' && status === 'True');
      return isSo && fleet?.current === 4 && fleet.snapshotId !== snapshotId && fleet.snapshotId;
    };
    const before = await eventually('four Pods have what is stored', 60, () => isEverywhere());

    const material = world().materials.next();
    const started = Date.now();
    await world().deploy(material);
    const { metadata } = await kubernetes.json('GET', `/api/v1/namespaces/${pay}/secrets/wechat-main`);
    const { resourceVersion } = metadata as { resourceVersion: string };
    const waited = await paycert('wait', 'wechat-main', '-n', pay, '--secret-version', resourceVersion, '--for', 'rolled-out', '--timeout', '90s'); // prettier-ignore
    const opened = Date.now();
    assert.equal(waited.code, 0, waited.stdout + waited.stderr);
    t.diagnostic(`everywhere ${String((opened - started) / 1000)} s after the write of the Secret`);
    const counts = await signOn(world());
    for (const target of ['api', 'mount'] as const) {
      assert.equal(counts[target].keyId, material.merchant.serialNumber, target);
      assert.ok(counts[target].since <= opened, `${target} signed with another key after the gate had opened`);
    }

    assert.ok(await isEverywhere(before));
    const shown = await paycert('fleet', 'wechat-main', '-n', pay);
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /^wechat-main +True +4 +0 +0 +0 +0 /m);
    const rows = shown.stdout.split('\n').filter((row) => row.includes(material.merchant.serialNumber));
    assert.deepEqual(rows.filter((row) => / yes +current /.test(row)).length, 4, shown.stdout);
    await eventually('an Event says so', 10, async () => (await eventsOf(world(), 'wechat-main')).has('RolledOut'));
  });
}
