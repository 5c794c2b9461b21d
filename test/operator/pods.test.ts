// Pods are touched when the Secret that they mount changes: through their status, three times, and only those that asked for it.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { findAccess } from '../../src/kube/access.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { Leadership } from '../../src/operator/leadership.ts';
import { Pods } from '../../src/operator/pods.ts';
import { ResourceKey } from '../../src/operator/resource-key.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { FakeClock, passUntil } from '../support/fake-clock.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import {
  installDefinition,
  leastRules,
  makeAccount,
  rule,
  secretRules,
  startOperator,
  Tenant,
  until,
  wechatpaySpec,
} from '../support/operator.ts';
import { Recorder } from '../support/recorder.ts';
import { makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

interface Pod {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>>; readonly generation?: number };
}

/** Name → the credential of its label, and behind a comma those of its annotation. */
async function makePods(tenant: Tenant, labels: Readonly<Record<string, string>>) {
  const path = `/api/v1/namespaces/${tenant.namespace}/pods`;
  for (const [name, credentials] of Object.entries(labels)) {
    const spec = { containers: [{ name: 'shop', image: 'shop' }] };
    const [credential, ...more] = credentials.split(',');
    const annotations = { 'paycert.dev/credentials': more.join(',') };
    const metadata = { name, labels: { 'paycert.dev/refresh': credential }, ...(more.length > 0 && { annotations }) };
    await tenant.plane.admin('POST', path, { metadata, spec });
  }
  /** When each was touched last. */
  return async (name: string): Promise<string | undefined> => {
    const { metadata } = (await tenant.plane.admin('GET', `${path}/${name}`)) as never as Pod;
    return metadata.annotations?.['paycert.dev/refreshed-at'];
  };
}

async function start(t: TestContext, spec: object, overrides: object = {}) {
  const tenant = await Tenant.make(controlPlane());
  const touchedAt = await makePods(tenant, {
    a: 'wechat-main',
    b: 'another,third, wechat-main',
    c: 'another,wechat-mainly',
  });
  await tenant.write('keys', (await makeMaterial()).files);
  const clock = new FakeClock(new Date());
  const { recorder } = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], clock, refreshesPods: true, ...overrides }); // prettier-ignore
  await tenant.create('wechat-main', wechatpaySpec('keys', { ...spec }));
  await tenant.condition('wechat-main', 'Ready', 'True Ready');
  return { tenant, touchedAt, clock, recorder };
}

/** What touches, by itself, and a proxy before the API server; time passes ten times as fast: a touch is worth something for nine seconds, which is time enough on a busy machine. */
async function makeToucher(t: TestContext) {
  const tenant = await Tenant.make(controlPlane());
  const touchedAt = await makePods(tenant, { a: 'wechat-main' });
  const proxy = await FaultProxy.start(t, controlPlane());
  const kubeconfig = await controlPlane().kubeconfig(tenant.namespace, proxy.url);
  const client = new KubeClient(() => findAccess({ KUBECONFIG: kubeconfig }));
  const [clock, recorder, leadership, end] = [new FakeClock(), new Recorder(), new Leadership(), new AbortController()];
  const pods = new Pods({ client: async () => client, leadership, clock, observe: recorder.observe });
  const timer = setInterval(() => clock.advance(10), 1);
  t.after(async () => {
    end.abort();
    await pods.stop();
    clearInterval(timer);
  });
  const lead = () => void leadership.lead(() => undefined, end.signal);
  const passed = (milliseconds: number) => clock.sleep(milliseconds, end.signal);
  return { pods, namespace: tenant.namespace, lead, proxy, recorder, touchedAt, passed };
}

describe('the touch', () => {
  it(
    'comes at once and after 2 and 8 s, to the Pods that name the resource, by label or annotation',
    limit,
    async (t) => {
      const { tenant, touchedAt, clock, recorder } = await start(t, { refreshPods: true });
      assert.equal(await touchedAt('a'), undefined, 'a first sight is no change');
      const changedAt = clock.now().getTime();
      for (const after of [0, 2000, 8000]) {
        const touched = recorder.next('pods-refreshed');
        if (after === 0) {
          const before = (await tenant.status('wechat-main'))?.accepted?.snapshotId;
          await tenant.write('keys', (await makeMaterial(1)).files);
          // The operator has seen it before any time passes.
          await until(async () => (await tenant.status('wechat-main'))?.accepted?.snapshotId !== before);
        }
        await passUntil(touched, clock, after + 1000 - (clock.now().getTime() - changedAt), 2);
        assert.equal((await touched).pods, 2);
        for (const name of ['a', 'b']) {
          const delay = Date.parse((await touchedAt(name)) ?? '') - changedAt;
          assert.ok(delay >= after && delay <= after + 1000, `${String(delay)} ms, not ${String(after)}`);
        }
      }
      assert.equal(await touchedAt('c'), undefined);
    },
  );

  for (const [what, spec, overrides] of [
    ['the resource did not ask for it', {}, {}],
    ['the operator runs without --refresh-pods', { refreshPods: true }, { refreshesPods: false }],
  ] as const)
    it(`does not come when ${what}`, limit, async (t) => {
      const { tenant, touchedAt, recorder } = await start(t, spec, overrides);
      await tenant.write('keys', new Map());
      await tenant.condition('wechat-main', 'Valid', 'False MaterialMissing');
      assert.equal(await touchedAt('a'), undefined);
      assert.deepEqual(recorder.of('pods-refreshed'), []);
    });

  it('is made when the API server is back, if it was away; what was in the way is said once', limit, async (t) => {
    const { pods, namespace, lead, proxy, recorder, touchedAt } = await makeToucher(t);
    lead();
    proxy.status = 503;
    pods.refresh(new ResourceKey('PaymentCredential', namespace, 'wechat-main'));
    await until(() => proxy.calls.length > 4, 'more attempts than touches');
    const touched = recorder.next('pods-refreshed');
    proxy.status = undefined;
    assert.equal((await touched).pods, 1);
    assert.ok(await touchedAt('a'));
    assert.equal(recorder.of('pods-refreshed').filter(({ error }) => error?.code === 'cluster-failing').length, 1);
  });

  it('is made by who leads next, if the one before ended', limit, async (t) => {
    const { pods, namespace, lead, proxy, recorder, passed } = await makeToucher(t);
    pods.refresh(new ResourceKey('PaymentCredential', namespace, 'wechat-main'));
    await passed(20_000);
    assert.deepEqual(proxy.calls, []);
    const touched = recorder.next('pods-refreshed');
    lead();
    assert.equal((await touched).pods, 1);
  });

  it('is given up when kubelet must have looked by itself', limit, async (t) => {
    const { pods, namespace, lead, proxy, passed } = await makeToucher(t);
    pods.refresh(new ResourceKey('PaymentCredential', namespace, 'wechat-main'));
    await passed(120_000);
    lead();
    await passed(20_000);
    assert.deepEqual(proxy.calls, []);
  });

  it('needs to list Pods and to patch their status, and nothing else of them', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const touchedAt = await makePods(tenant, { a: 'wechat-main' });
    await tenant.write('keys', (await makeMaterial()).files);
    const rules = [rule('', ['pods'], 'list'), rule('', ['pods/status'], 'patch')];
    const environment = await makeAccount(tenant, [...leastRules, ...secretRules, ...rules]);
    const { recorder } = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], environment, refreshesPods: true }); // prettier-ignore
    await tenant.create('wechat-main', wechatpaySpec('keys', { refreshPods: true }));
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
    const touched = recorder.next('pods-refreshed');
    await tenant.write('keys', new Map());
    assert.deepEqual(await touched, { type: 'pods-refreshed', object: `${tenant.namespace}/wechat-main`, pods: 1 });
    assert.ok(await touchedAt('a'));
  });
});
