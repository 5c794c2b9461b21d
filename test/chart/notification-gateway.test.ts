// The chart's notification gateway and its jobs: what they run, may do and reach; and nothing of them unless the values say so.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { at, chart, fieldsAt, listAt, type Manifest, noHelm, ofKind, one, render, template } from './helm.ts';

const name = 'paycert-notifications';
const example = () => render({ files: [`${chart}/ci/notification-gateway-values.yaml`] });
const configOf = (manifests: readonly Manifest[], part: string) =>
  parseConfig(String(at(one(manifests, 'ConfigMap', `paycert-${part}`), 'data')?.['paycert.yaml' as never]));
/** Mounts of secrets, as `NAME at PATH`. */
const mountsOf = (pod: object): string[] =>
  listAt(pod, 'containers.0.volumeMounts')
    .map(({ name: volume, mountPath }) => [listAt(pod, 'volumes').find((one) => one['name'] === volume), mountPath])
    .flatMap(([volume, path]) => {
      const secret = (volume as { secret?: { secretName: string } }).secret;
      return secret === undefined ? [] : [`${secret.secretName} at ${String(path)}`];
    });

describe('the notification gateway of the chart', { skip: noHelm, timeout: 900_000 }, () => {
  it('is off: nothing of it and no job is rendered', async () => {
    const manifests = await render();
    assert.equal(ofKind(manifests, 'Deployment').length, 1);
    assert.deepEqual(ofKind(manifests, 'CronJob'), []);
    assert.doesNotMatch(JSON.stringify(manifests), /paycert-(?:notifications|reconcile)/);
  });

  it('runs a sidecar of its own with a configuration that loads, on the ports that its probes and the PodMonitor know', async () => {
    const manifests = await example();
    const { notifications, admin, listen } = configOf(manifests, 'notifications');
    assert.deepEqual([notifications?.listen.address, admin?.address], [':8012', ':9464']);
    assert.deepEqual(listen, { socket: '/run/paycert/paycert.sock' });
    const deployment = one(manifests, 'Deployment', name);
    const pod = fieldsAt(deployment, 'spec.template.spec');
    const container = fieldsAt(pod, 'containers.0');
    assert.equal(container['name'], 'paycert');
    const ports = listAt(container, 'ports').map((port) => `${String(port['name'])} ${String(port['containerPort'])}`);
    assert.deepEqual(ports, ['notifications 8012', 'paycert-admin 9464']);
    const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'].map((probe) =>
      at(container, `${probe}.httpGet`),
    );
    assert.deepEqual(probes, ['/startupz', '/readyz', '/livez'].map((path) => ({ path, port: 'paycert-admin' }))); // prettier-ignore
    const labels = fieldsAt(deployment, 'spec.template.metadata.labels');
    assert.equal(labels['paycert.dev/sidecar'], 'true');
    const selector = fieldsAt(deployment, 'spec.selector.matchLabels');
    for (const [label, value] of Object.entries(selector)) assert.equal(labels[label], value);
    for (const [kind, path] of [
      ['Service', 'spec.selector'],
      ['PodDisruptionBudget', 'spec.selector.matchLabels'],
      ['NetworkPolicy', 'spec.podSelector.matchLabels'],
    ] as const)
      // prettier-ignore
      assert.deepEqual(at(one(manifests, kind, name), path), selector);
    assert.notDeepEqual(at(one(manifests, 'Deployment', 'paycert'), 'spec.selector.matchLabels'), selector);
    assert.deepEqual(mountsOf(pod), [
      'wechat-main at /var/run/secrets/wechat-main',
      'notification-secret at /var/run/secrets/notification',
      'redis-password at /var/run/secrets/redis',
    ]);
  });

  it('fits the restricted Pod Security Standard, as its jobs do', async () => {
    const manifests = await example();
    const pods = [
      fieldsAt(one(manifests, 'Deployment', name), 'spec.template.spec'),
      ...ofKind(manifests, 'CronJob').map((job) => fieldsAt(job, 'spec.jobTemplate.spec.template.spec')),
    ];
    assert.equal(pods.length, 2);
    for (const pod of pods) {
      const { runAsNonRoot, seccompProfile } = fieldsAt(pod, 'securityContext');
      assert.deepEqual([runAsNonRoot, seccompProfile], [true, { type: 'RuntimeDefault' }]);
      const { allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem } = fieldsAt(pod, 'containers.0.securityContext'); // prettier-ignore
      assert.deepEqual([allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem], [false, { drop: ['ALL'] }, true]); // prettier-ignore
    }
  });

  it('may read the Secrets that are named and nothing else, and gets a token only for them', async () => {
    const manifests = await example();
    assert.deepEqual(at(one(manifests, 'Role', name), 'rules'), [
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['alipay-main'], verbs: ['get', 'list', 'watch'] },
    ]);
    assert.deepEqual(
      listAt(one(manifests, 'RoleBinding', name), 'subjects').map((subject) => subject['name']),
      [name],
    );
    const values = { notificationGateway: { readSecrets: [] } };
    const without = await render({ files: [`${chart}/ci/notification-gateway-values.yaml`], values });
    assert.deepEqual(ofKind(without, 'Role').filter(({ metadata }) => metadata.name === name), []); // prettier-ignore
    const tokens = [manifests, without].map((all) => at(one(all, 'Deployment', name), 'spec.template.spec.automountServiceAccountToken')); // prettier-ignore
    assert.deepEqual(tokens, [true, false]);
  });

  it('is reached at two ports by those who are named, and reaches what is named', async () => {
    const policy = fieldsAt(one(await example(), 'NetworkPolicy', name), 'spec');
    assert.deepEqual(policy['policyTypes'], ['Ingress', 'Egress']);
    const from = (value: string) => [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': value } } }];
    assert.deepEqual(policy['ingress'], [
      { ports: [{ port: 8012, protocol: 'TCP' }], from: from('ingress-nginx') },
      { ports: [{ port: 9464, protocol: 'TCP' }], from: from('monitoring') },
    ]);
    const ports = listAt(policy, 'egress').flatMap((rule) => listAt(rule, 'ports').map(({ port }) => port));
    assert.deepEqual(ports, [53, 53, 443, 6443, 6379]);
  });

  it('has new pods when its configuration changes', async () => {
    const digests = await Promise.all(
      ['1m', '30s'].map(async (applicationDeadline) => {
        const values = { notificationGateway: { config: { notifications: { applicationDeadline } } } };
        const manifests = await render({ files: [`${chart}/ci/notification-gateway-values.yaml`], values });
        return fieldsAt(one(manifests, 'Deployment', name), 'spec.template.metadata.annotations')['paycert.dev/config'];
      }),
    );
    assert.equal(new Set(digests).size, 2);
  });

  it('is refused without notifications or credentials', async () => {
    for (const config of [{}, { notifications: {} }, { credentials: [] }]) {
      const { code, stderr } = await template({ values: { notificationGateway: { enabled: true, config } } });
      assert.notEqual(code, 0);
      assert.match(stderr, /notificationGateway/);
    }
  });
});

describe('a reconciliation of the chart', { skip: noHelm, timeout: 900_000 }, () => {
  it('asks about the orders of one credential by schedule, one run at a time, with the keys that it mounts and no token', async () => {
    const manifests = await example();
    const job = fieldsAt(one(manifests, 'CronJob', 'paycert-reconcile-wechat-main'), 'spec');
    assert.deepEqual([job['schedule'], job['concurrencyPolicy']], ['*/10 * * * *', 'Forbid']);
    const { backoffLimit, activeDeadlineSeconds } = fieldsAt(job, 'jobTemplate.spec');
    assert.deepEqual([backoffLimit, activeDeadlineSeconds], [0, 600]);
    const pod = fieldsAt(job, 'jobTemplate.spec.template.spec');
    assert.deepEqual([pod['restartPolicy'], pod['automountServiceAccountToken']], ['Never', false]);
    assert.deepEqual(at(pod, 'containers.0.args'), [
      ...['reconcile', 'wechat-main', '--config=/etc/paycert/config/paycert.yaml'],
      ...['--orders=http://shop.pay.svc/open-orders', '--orders-token-file=/var/run/secrets/shop/token', '--for=9m'],
    ]);
    assert.deepEqual(mountsOf(pod), ['wechat-main at /var/run/secrets/wechat-main', 'shop-token at /var/run/secrets/shop']); // prettier-ignore
    assert.deepEqual(configOf(manifests, 'reconcile').credentials.map((one) => one.name), ['wechat-main']); // prettier-ignore
  });

  it('asks at the other interface of a merchant where its job says so', async () => {
    const job = { credential: 'wechat-main', fallback: 'wechat-v2', orders: 'http://shop.pay.svc/open-orders' };
    const manifests = await render({ values: { reconcile: { config: { credentials: [] }, jobs: [job] } } });
    const pod = fieldsAt(one(manifests, 'CronJob', 'paycert-reconcile-wechat-main'), 'spec.jobTemplate.spec.template.spec'); // prettier-ignore
    assert.ok((at(pod, 'containers.0.args') as readonly string[]).includes('--fallback=wechat-v2'));
  });

  it('is refused without an address of orders, and with a schedule that is none', async () => {
    const config = { credentials: [] };
    for (const job of [
      { credential: 'a' },
      { credential: 'a', orders: 'shop' },
      { credential: 'a', orders: 'http://shop', fallback: '--config=/' },
      { credential: 'a', orders: 'http://shop', schedule: 'daily' },
    ]) {
      // prettier-ignore
      const { code, stderr } = await template({ values: { reconcile: { config, jobs: [job] } } });
      assert.notEqual(code, 0);
      assert.match(stderr, /reconcile/);
    }
  });
});
