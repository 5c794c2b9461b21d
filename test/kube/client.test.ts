// The calls, against a real API server: what they ask, and what its answers mean.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { errorTable, type PaycertError } from '../../src/errors.ts';
import { findAccess } from '../../src/kube/access.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { secrets } from '../../src/kube/resources.ts';
import { ServerClock } from '../../src/kube/server-clock.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { until } from '../support/operator.ts';
import { Recorder } from '../support/recorder.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane();
const signal = new AbortController().signal;

async function start(server?: string) {
  const plane = controlPlane();
  const namespace = await plane.makeNamespace();
  await plane.writeSecret(namespace, 'a', { key: 'canary' });
  const kubeconfig = await plane.kubeconfig(namespace, server);
  const client = new KubeClient(() => findAccess({ KUBECONFIG: kubeconfig }));
  return { plane, namespace, client, target: { resource: secrets, namespace, name: 'a' } };
}

describe('calls', () => {
  it('compare the clock here with the Date of each response, of a refusal too', limit, async () => {
    const { plane, namespace, target } = await start();
    const files = await plane.makeServiceAccount(namespace, 'stranger', []);
    const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(plane.port) };
    const recorder = new Recorder();
    const ahead = { ...systemClock, now: () => new Date(Date.now() + 600_000) };
    const serverClock = new ServerClock(ahead, recorder.observe);
    const client = new KubeClient(() => findAccess(environment, files), { serverClock });
    const aheadSeconds = () => recorder.of('clock-compared').map((event) => event.aheadSeconds);
    // What is on its way for longer says less.
    await until(async () => {
      await assert.rejects(client.get(target, signal), { code: 'cluster-forbidden' });
      return aheadSeconds().at(-1)! >= 598;
    }, 'it is compared');
    assert.ok(
      aheadSeconds().every((seconds) => seconds <= 600),
      aheadSeconds().join(),
    );
  });

  it('list names without contents', limit, async () => {
    const { client, namespace } = await start();
    const page = await client.list({ resource: secrets, namespace, isMetadataOnly: true }, { limit: 10 }, signal);
    assert.deepEqual(
      page.items.map(({ metadata }) => metadata.name),
      ['a'],
    );
    assert.doesNotMatch(JSON.stringify(page), /"data"/);
  });

  it('list what labels and fields select', limit, async () => {
    const { client, plane, namespace, target } = await start();
    await plane.writeSecret(namespace, 'b', {});
    await client.merge(target, { metadata: { labels: { 'paycert.dev/provider': 'wechatpay' } } }, signal);
    const names = async (selector: object) => {
      const { items } = await client.list({ resource: secrets, namespace, ...selector }, { limit: 10 }, signal);
      return items.map(({ metadata }) => metadata.name);
    };
    assert.deepEqual(await names({}), ['a', 'b']);
    assert.deepEqual(await names({ labelSelector: 'paycert.dev/provider' }), ['a']);
    assert.deepEqual(await names({ fieldSelector: 'metadata.name!=a' }), ['b']);
    assert.deepEqual(await names({ name: 'b', fieldSelector: 'type!=helm.sh/release.v1' }), ['b']);
  });

  it('change what operations name, all or none, and nothing of a version that has been replaced', limit, async () => {
    const { client, plane, namespace, target } = await start();
    await client.merge(target, { metadata: { labels: { theirs: '1' } } }, signal);
    const { metadata } = await client.get(target, signal);
    const operations = (version: string | undefined, value: string) => [
      { op: 'replace', path: '/metadata/resourceVersion', value: version },
      { op: 'add', path: '/metadata/labels/ours', value },
    ];
    const changed = await client.change(target, operations(metadata.resourceVersion, '1'), 'paycert', signal);
    assert.deepEqual(changed.metadata.labels, { ours: '1', theirs: '1' });
    const late = client.change(target, operations(metadata.resourceVersion, '2'), 'paycert', signal);
    await assert.rejects(late, { code: 'object-conflict' });
    // Another of the same name.
    await plane.admin('DELETE', `/api/v1/namespaces/${namespace}/secrets/a`);
    await plane.writeSecret(namespace, 'a', {});
    await client.merge(target, { metadata: { labels: { theirs: '1' } } }, signal);
    const other = client.change(target, operations(changed.metadata.resourceVersion, '3'), 'paycert', signal);
    await assert.rejects(other, { code: 'object-conflict' });
  });

  it('write a subresource and nothing beside it', limit, async () => {
    const { client, plane, namespace } = await start();
    const spec = { containers: [{ name: 'shop', image: 'shop' }] };
    await plane.admin('POST', `/api/v1/namespaces/${namespace}/pods`, { metadata: { name: 'shop' }, spec });
    const target = { resource: { group: '', version: 'v1', plural: 'pods' }, namespace, name: 'shop' };
    const changes = { metadata: { annotations: { touched: '1' } }, spec: { containers: null } };
    const pod = await client.merge({ ...target, subresource: 'status' }, changes, signal);
    assert.deepEqual(pod.metadata.annotations, { touched: '1' });
    assert.equal((pod['spec'] as typeof spec).containers[0]?.image, 'shop');
  });

  it('end at once on abort', limit, async () => {
    const { client, target } = await start();
    const stop = new AbortController();
    const reason = new Error('stopped');
    const events = await client.watch(target, { resourceVersion: '', timeoutSeconds: 60 }, stop.signal);
    const read = (async () => {
      for await (const event of events) assert.ok(event);
    })();
    stop.abort(reason);
    await assert.rejects(read, reason);
    await assert.rejects(client.get(target, stop.signal), reason);
  });

  it('go on when the server has closed a connection that was kept', limit, async () => {
    const { client, plane, target } = await start();
    await client.get(target, signal);
    await plane.killApiServer();
    await plane.startApiServer();
    await client.get(target, signal);
  });
});

describe('a refusal', () => {
  const fails = async (call: () => Promise<unknown>): Promise<PaycertError> => {
    const error = await call().then(
      () => assert.fail('it did not fail'),
      (reason: unknown) => reason as PaycertError,
    );
    assert.equal(errorTable[error.code].kind, 'source');
    assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /canary/);
    return error;
  };

  it('for want of permission names verb, resource, name and namespace', limit, async () => {
    const { plane, namespace } = await start();
    const files = await plane.makeServiceAccount(namespace, 'nobody', []);
    const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(plane.port) };
    const client = new KubeClient(() => findAccess(environment, files));
    const leases = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };
    const who = `system:serviceaccount:${namespace}:nobody`;
    const where = `in namespace "${namespace}": the API server forbids it to ${who} (403)`;
    const target = { resource: leases, namespace, name: 'l' };
    const object = { metadata: { name: 'l' } };
    for (const [call, what] of [
      [() => client.get({ ...target, resource: secrets }, signal), 'get secrets "l"'],
      [() => client.list({ resource: secrets, namespace }, { limit: 1 }, signal), 'list secrets'],
      [() => client.watch({ ...target, resource: secrets }, { resourceVersion: '', timeoutSeconds: 1 }, signal), 'watch secrets "l"'], // prettier-ignore
      [() => client.create(target, object, signal), 'create leases.coordination.k8s.io "l"'],
      [() => client.replace(target, object, signal), 'update leases.coordination.k8s.io "l"'],
      [
        () => client.merge({ ...target, subresource: 'status' }, {}, signal),
        'patch leases.coordination.k8s.io/status "l"',
      ],
    ] as const) {
      const { code, message } = await fails(call);
      assert.deepEqual([code, message], ['cluster-forbidden', `${what} ${where}`]);
    }
    const everywhere = await fails(() => client.list({ resource: secrets }, { limit: 1 }, signal));
    assert.match(everywhere.message, /^list secrets in all namespaces: /);
  });

  it('has a code for each thing that somebody must do', limit, async () => {
    const { client, target, namespace } = await start();
    const stale = { metadata: { name: 'a', namespace, resourceVersion: '1' } };
    const unknown = { ...target, resource: { ...secrets, plural: 'nothings' } };
    for (const [call, code] of [
      [() => client.get({ ...target, name: 'b' }, signal), 'object-missing'],
      [() => client.get(unknown, signal), 'definition-missing'],
      [() => client.replace(target, stale, signal), 'object-conflict'],
      [() => client.create(target, { metadata: { name: 'a' } }, signal), 'object-conflict'],
      [() => client.create(target, { metadata: { name: 'NOT A NAME canary' } }, signal), 'object-invalid'],
    ] as const)
      assert.equal((await fails(call)).code, code);
  });

  it('of a proxy with a page for people is told as what it is', limit, async (t: TestContext) => {
    const proxy = await FaultProxy.start(t, controlPlane());
    const { client, target } = await start(proxy.url);
    for (const [status, code] of [
      [200, 'response-malformed'],
      [302, 'cluster-refused'],
      [429, 'cluster-failing'],
      [500, 'cluster-failing'],
      [503, 'cluster-failing'],
    ] as const) {
      proxy.status = status;
      assert.equal((await fails(() => client.get(target, signal))).code, code, String(status));
    }
  });

  it('to connect is told with the reason of the system', limit, async () => {
    const { client, target } = await start('https://127.0.0.1:1');
    const { code, message } = await fails(() => client.get(target, signal));
    assert.equal(code, 'cluster-unreachable');
    assert.match(message, /\(ECONNREFUSED\)$/);
  });
});
