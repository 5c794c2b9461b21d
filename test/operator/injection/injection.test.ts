// Pods on a real API server that asks over HTTPS: who gets a sidecar, beside which other injector, and who does not.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recordOf } from '../../../src/audit/records.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { noControlPlane, useControlPlane } from '../../support/control-plane.ts';
import {
  asking,
  createPod,
  initOf,
  restricted,
  startInjecting,
  startMesh,
  type Stored,
} from '../../support/injection.ts';
import { installDefinition, until } from '../../support/operator.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

describe('a Pod that asks for a sidecar', () => {
  it('gets it under restricted Pod Security, whatever makes it, and what is stored is a Pod that starts', limit, async (t) => {
    const { plane, namespace, create, install, recorder } = await startInjecting(t, controlPlane());
    const enforce = { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } };
    await plane.admin('PATCH', `/api/v1/namespaces/${namespace}`, enforce, 'application/merge-patch+json');
    await install();
    const before = recorder.of('reviewed').length;
    const job = { apiVersion: 'batch/v1', kind: 'Job', name: 'settle', uid: '1', controller: true };
    for (const options of [
      {},
      { metadata: { generateName: undefined, name: 'alone' } },
      { metadata: { ownerReferences: [job] }, spec: { restartPolicy: 'Never' } },
      { spec: { initContainers: [{ name: 'migrate', image: 'shop', securityContext: restricted }] } },
    ]) {
      const { status, object } = await create(options);
      assert.equal(status, 201, String(object['message']));
      assert.equal(initOf(object)[0], 'paycert');
      const { spec, metadata } = object as Stored;
      const [sidecar] = spec.initContainers as unknown as readonly [{ readonly env: readonly [{ readonly value: string }] }];
      assert.equal(parseConfig(sidecar.env[0].value).credentials[0]!.name, 'wechat-main');
      assert.equal(metadata.labels['paycert.dev/sidecar'], 'true');
      assert.match(metadata.annotations!['paycert.dev/injected']!, /"credentials":\["wechat-main"\]/);
    }
    const reviewed = recorder.of('reviewed').slice(before);
    assert.deepEqual(new Set(reviewed.map(({ kind, outcome }) => `${kind} ${outcome}`)), new Set(['Pod allowed']));
    const audited = reviewed.map((event) => recordOf(event)?.type).filter((type) => type === 'injected');
    assert.ok(audited.length >= 2, 'each Pod that gets a sidecar is a line of the audit');
    assert.ok(reviewed.every(({ user }) => user !== undefined && user !== ''));
    assert.deepEqual(reviewed.map(({ object }) => object).slice(0, 2), [`${namespace}/shop-*`, `${namespace}/alone`]);
  }); // prettier-ignore

  for (const [order, name] of [
    ['before', 'a-mesh'],
    ['after', 'mesh'],
  ] as const)
    it(`keeps one, where it is, beside another injector that comes ${order} it`, limit, async (t) => {
      const { plane, namespace, create, install } = await startInjecting(t, controlPlane());
      await startMesh(t, plane, namespace, `${name}-${namespace}`);
      await install();
      await until(async () => initOf((await create({ query: '?dryRun=All' })).object).includes('mesh'), 'both inject');
      const { object } = await create();
      assert.deepEqual(initOf(object), order === 'before' ? ['paycert', 'mesh'] : ['mesh', 'paycert']);
    });

  it('is not asked about without the label, with the opt-out, or of another class', limit, async (t) => {
    const { create, install, recorder } = await startInjecting(t, controlPlane());
    await install({ failurePolicy: 'Fail' });
    const before = recorder.of('reviewed').length;
    for (const labels of [
      {},
      { ...asking, 'paycert.dev/injection': 'disabled' },
      { ...asking, 'paycert.dev/operator-class': 'trial' },
    ]) {
      const { status, object } = await create({ labels });
      assert.deepEqual([status, initOf(object)], [201, []]);
    }
    assert.equal(recorder.of('reviewed').length, before);
  });

  it('is refused with code, name and remedy where it asks for what is not there, and created with a warning where it cannot have one', limit, async (t) => {
    const { create, install } = await startInjecting(t, controlPlane());
    await install();
    const odd = await create({ labels: { 'paycert.dev/inject': 'none' }, metadata: { annotations: { 'paycert.dev/image': '$(x)' } } });
    assert.equal(odd.status, 403);
    assert.match(String(odd.object['message']), /^admission webhook "pods\.admission\.paycert\.dev" denied the request: injection-refused: annotation paycert\.dev\/image is not an image .*\. Correct the label or annotation named/);
    const none = await create({ labels: { 'paycert.dev/inject': 'none' } });
    assert.match(String(none.object['message']), /label paycert\.dev\/inject names none, and there is no such PaymentCredential here/);
    // Below what a sidecar asks for by default: the API server would refuse the Pod in its own words.
    const small = await create({ metadata: { annotations: { 'paycert.dev/cpu-limit': '20m', 'paycert.dev/loglevel': 'debug' } } });
    assert.equal(small.status, 201, String(small.object['message']));
    assert.match(small.warnings.join('\n'), /cpu-limit is below the 50m that a sidecar asks for: it asks for 20m[^]*paycert\.dev\/loglevel counts for nothing: .*did you mean log-level/);
    const host = await create({ spec: { hostNetwork: true } });
    assert.deepEqual([host.status, initOf(host.object)], [201, []]);
    assert.match(host.warnings.join(), /The Pod gets no sidecar of paycert: it has hostNetwork/);
  }); // prettier-ignore

  it('is created without one while the webhook is away, and is refused then under Fail', limit, async (t) => {
    const { plane, namespace, create, install, stop } = await startInjecting(t, controlPlane());
    await install();
    await stop();
    const { status, object } = await create();
    assert.deepEqual([status, initOf(object)], [201, []]);
    const path = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/injection-${namespace}`;
    const strict = [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Fail' }];
    await plane.admin('PATCH', path, strict, 'application/json-patch+json');
    const isRefused = async () => (await createPod(plane, namespace, { query: '?dryRun=All' })).status === 500;
    await until(isRefused, 'the policy counts');
  });
});
