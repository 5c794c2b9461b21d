// A sidecar's entry that names a PaymentCredential follows it: its Secret, its options, its suspension. On a real API server.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { RunningConfiguration } from '../../src/running/configuration.ts';
import type { ResourceEntry } from '../../src/config/schema/credential.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { describeCredential } from '../../src/server/credential-status.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { isReady, Store } from '../../src/store/store.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, Tenant, until, wechatpaySpec } from '../support/operator.ts';
import { Recorder } from '../support/recorder.ts';
import { makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
const name = 'wechat-main';

async function follow(t: TestContext, more: Partial<ResourceEntry> = {}) {
  const tenant = await Tenant.make(controlPlane());
  await tenant.write('keys', (await makeMaterial()).files);
  const store = new Store();
  const events = new Recorder();
  const environment = { KUBECONFIG: await controlPlane().kubeconfig(tenant.namespace), PAYCERT_POD_UID: 'pod-1' };
  const dependencies = { store, clock: systemClock, limiter: new Limiter(8), observe: events.observe };
  const configured = new RunningConfiguration(dependencies, {
    clock: systemClock,
    observe: events.observe,
    environment,
  });
  const entry = { resource: name, required: true, ...more };
  configured.declare({ credentials: [], resources: [entry] });
  t.after(() => configured.stop());
  const apply = (resources: readonly ResourceEntry[]) => {
    configured.apply({ credentials: [], resources });
  };
  /** Applies the entry, and waits until its material is current. */
  const load = async (one: ResourceEntry = entry) => {
    const swapped = events.next('swapped');
    apply([one]);
    await swapped;
  };
  const ready = () => isReady(store.entry(name), new Date());
  return { tenant, store, events, apply, load, entry, ready };
}

describe('an entry that names a resource', () => {
  it('is not ready until the resource and its Secret are there, and then is', limit, async (t) => {
    const { tenant, store, events, apply, entry, ready } = await follow(t);
    const refused = events.next('resource-refused');
    apply([entry]);
    assert.match((await refused).error.message, /no PaymentCredential "wechat-main"/);
    assert.equal(ready(), false);
    assert.throws(() => store.current(name), { code: 'credential-not-loaded' });
    const swapped = events.next('swapped');
    await tenant.create(name, wechatpaySpec('keys'));
    await swapped;
    assert.equal(ready(), true);
    assert.equal(store.entry(name).isRequired, true);
  });

  it('takes another Secret and other options as the resource does', limit, async (t) => {
    const { tenant, store, events, load, entry } = await follow(t);
    await tenant.create(name, wechatpaySpec('keys'));
    await load(entry);
    const before = store.current(name).snapshotId;
    await tenant.write('others', (await makeMaterial(1)).files);
    await Promise.all([events.next('swapped'), tenant.patch(name, { source: { secret: { name: 'others' } } })]);
    assert.notEqual(store.current(name).snapshotId, before);
    await tenant.patch(name, { require: ['sign', 'verify'], maxAge: '30d' });
    await until(() => store.entry(name).requires.length === 2);
    assert.deepEqual(store.entry(name).maxAge, { milliseconds: 30 * 86_400_000, isGiven: true });
  });

  it(
    'promotes and rolls back as the resource says, within seconds, and never signs with what is neither set',
    limit,
    async (t) => {
      const { tenant, store, events, load, entry } = await follow(t);
      await tenant.write('next', (await makeMaterial(1)).files);
      const source = (percent: number) => ({
        staged: { current: { secret: { name: 'keys' } }, next: { secret: { name: 'next' } }, activate: { percent } },
      });
      await tenant.create(name, wechatpaySpec('', { source: source(0), older: 'reject' }));
      await load(entry);
      const before = store.current(name);
      const beside = store.entry(name).staged?.snapshotId;
      assert.notEqual(beside, before.snapshotId);
      await Promise.all([events.next('swapped'), tenant.patch(name, { source: source(100) })]);
      assert.deepEqual([store.current(name).snapshotId, store.entry(name).staged?.isActive], [beside, true]);
      await Promise.all([events.next('swapped'), tenant.patch(name, { source: source(0) })]);
      assert.deepEqual(
        [store.current(name).snapshotId, store.entry(name).staged?.isActive],
        [before.snapshotId, false],
      );
    },
  );

  it(
    'goes back to the current Secret when the status says that the platform refuses the next one',
    limit,
    async (t) => {
      const { tenant, store, events, load, entry } = await follow(t);
      await tenant.write('next', (await makeMaterial(1)).files);
      const source = (percent: number) => ({
        staged: { current: { secret: { name: 'keys' } }, next: { secret: { name: 'next' } }, activate: { percent } },
      });
      await tenant.create(name, wechatpaySpec('', { source: source(99) }));
      await load(entry);
      const { staged } = store.entry(name);
      assert.equal(staged?.isActive, true, 'this pod is among the ninety-nine');
      const canaryRejected = {
        snapshotId: 'n',
        secret: 'next',
        activation: '{"percent":99}',
        time: new Date().toISOString(),
      };
      const path = `/apis/paycert.dev/v1alpha1/namespaces/${tenant.namespace}/paymentcredentials/${name}/status`;
      await Promise.all([
        events.next('swapped'),
        tenant.plane.admin('PATCH', path, { status: { canaryRejected } }, 'application/merge-patch+json'),
      ]);
      assert.equal(store.current(name).snapshotId, staged.snapshotId);
    },
  );

  it('drops the keys and is not ready while the resource is suspended', limit, async (t) => {
    const { tenant, store, events, load, entry, ready } = await follow(t);
    await tenant.create(name, wechatpaySpec('keys'));
    await load(entry);
    await Promise.all([events.next('credential-removed'), tenant.patch(name, { suspend: true })]);
    assert.equal(ready(), false);
    assert.throws(() => store.current(name), { code: 'credential-not-loaded', message: /is suspended/ });
    assert.equal(describeCredential(store.entry(name), new Date()).suspended, true);
    const age = Date.now() - store.entry(name).suspendedSince!.getTime();
    assert.ok(age >= 0 && age < 60_000, `suspended ${age} ms ago`);
    await Promise.all([events.next('swapped'), tenant.patch(name, { suspend: false })]);
    assert.equal(ready(), true);
    assert.equal(describeCredential(store.entry(name), new Date()).suspended, undefined);
  });

  it('keeps the last good when the resource is deleted, and says so', limit, async (t) => {
    const { tenant, store, events, load, entry, ready } = await follow(t);
    await tenant.create(name, wechatpaySpec('keys'));
    await load(entry);
    const refused = events.next('resource-refused');
    await tenant.remove(name);
    assert.equal((await refused).error.code, 'object-missing');
    assert.equal(ready(), true);
    const status = describeCredential(store.entry(name), new Date());
    assert.equal(status.resourceError?.code, 'object-missing');
    const metrics = createMetrics({ store, clock: systemClock, version: '0' });
    assert.match(await metrics.render(), /^paycert_reload_last_successful\{credential="wechat-main"\} 0$/m);
    const followed = events.next('resource-followed');
    await tenant.create(name, wechatpaySpec('keys', { maxAge: '30d' }));
    await followed;
    assert.equal(describeCredential(store.entry(name), new Date()).resourceError, undefined);
  });

  it('is let go when the configuration names it no more, and may have another name', limit, async (t) => {
    const { tenant, store, apply, load } = await follow(t);
    const entry = { resource: name, name: 'shop' };
    await tenant.create(name, wechatpaySpec('keys'));
    await load(entry);
    assert.ok(store.current('shop'));
    assert.deepEqual(store.entry('shop').follows, { name, namespace: undefined });
    apply([]);
    assert.equal(store.has('shop'), false);
  });
});
