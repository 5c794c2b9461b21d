// What the chart renders: the operator's words, permissions and pods, as the values say.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chart, type Manifest, noHelm, ofKind, one, render } from './helm.ts';

const example = (name: string) => render({ files: [`${chart}/ci/${name}-values.yaml`] });
const argsOf = (manifests: Manifest[]): string[] => operatorOf(manifests)['args'] as string[];
const podOf = (manifests: Manifest[]): Manifest => one(manifests, 'Deployment')['spec'].template.spec as Manifest;
const operatorOf = (manifests: Manifest[]): Manifest => podOf(manifests)['containers'][0] as Manifest;

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** As `get,list secrets`, with the names if they are limited. */
const grants = (manifests: readonly Manifest[]): string[] =>
  manifests
    .flatMap(({ rules }) => rules as Rule[])
    .flatMap(({ resources, verbs, resourceNames }) =>
      resources.map((resource) => [verbs.join(), resource, resourceNames?.join() ?? ''].join(' ').trim()),
    )
    .sort();

const own = ['get,list,watch paymentcredentials', 'patch paymentcredentials/status', 'create events'];
const lease = ['get,update leases paycert', 'create leases'];
/** What the operator itself is granted; the roles for people are not bound to it. */
const operatorRoles = (manifests: Manifest[]): Manifest[] =>
  [...ofKind(manifests, 'ClusterRole'), ...ofKind(manifests, 'Role')].filter(
    ({ metadata }) => !/-(view|edit)$/.test(metadata.name),
  );

describe('the chart', { skip: noHelm, timeout: 60_000 }, () => {
  it('grants the operator what it needs in the cluster, and one Lease by name', async () => {
    assert.deepEqual(grants(operatorRoles(await render())), [...own, 'get,list,watch secrets', ...lease].sort());
  });

  it('renders no ClusterRole for scope namespaces, and a Role and its binding in each', async () => {
    const manifests = await example('scope-namespaces');
    assert.deepEqual([...ofKind(manifests, 'ClusterRole'), ...ofKind(manifests, 'ClusterRoleBinding')], []);
    for (const kind of ['Role', 'RoleBinding'])
      assert.deepEqual(
        ofKind(manifests, kind).map(({ metadata }) => `${String(metadata.namespace)}/${metadata.name}`),
        ['pay/paycert', 'shop/paycert', 'paycert-system/paycert-leader-election'],
      );
    assert.deepEqual(
      argsOf(manifests).filter((arg) => arg.startsWith('--namespace')),
      ['--namespace=pay', '--namespace=shop'],
    );
  });

  it('watches its own namespace for scope namespaces without a list', async () => {
    const manifests = await render({ values: { rbac: { scope: 'namespaces' } } });
    assert.ok(argsOf(manifests).includes('--namespace=paycert-system'));
  });

  it('grants no Secret but those of rbac.secretNames, each by its name', async () => {
    const manifests = await example('secret-names');
    const secrets = grants(operatorRoles(manifests)).filter((grant) => grant.includes('secrets'));
    assert.deepEqual(secrets, [
      'get,list,watch secrets wechat-main',
      'get,list,watch secrets wechat-main,wechat-trial',
    ]);
    assert.deepEqual(
      argsOf(manifests).filter((arg) => arg.startsWith('--secret')),
      ['--secret=pay/wechat-main', '--secret=pay/wechat-trial', '--secret=shop/wechat-main'],
    );
  });

  it('grants pods only with refreshPods, and then their status alone', async () => {
    assert.ok(!grants(await render().then(operatorRoles)).some((grant) => grant.includes('pods')));
    const manifests = await example('refresh-pods');
    assert.deepEqual(
      grants(operatorRoles(manifests)).filter((grant) => grant.includes('pods')),
      ['list pods', 'patch pods/status'],
    );
    assert.ok(argsOf(manifests).includes('--refresh-pods'));
  });

  it('renders the Lease that the permission and the operator name, without a holder', async () => {
    for (const [values, name] of [
      [{}, 'paycert'],
      [{ leaderElection: { leaseName: 'mine' } }, 'mine'],
    ] as const) {
      const manifests = await render({ values });
      const { spec, metadata } = one(manifests, 'Lease');
      assert.deepEqual([metadata.name, metadata.namespace, spec], [name, 'paycert-system', undefined]);
      assert.ok(argsOf(manifests).includes(`--lease=paycert-system/${name}`));
      assert.deepEqual(one(manifests, 'Role')['rules'][0].resourceNames, [name]);
    }
  });

  it('keeps the CRD through an uninstall unless told otherwise, and leaves it out when told so', async () => {
    const crdOf = async (crds: object) => ofKind(await render({ values: { crds } }), 'CustomResourceDefinition');
    const policy = 'helm.sh/resource-policy';
    assert.equal((await crdOf({}))[0]?.metadata.annotations?.[policy], 'keep');
    assert.equal((await crdOf({ keep: false }))[0]?.metadata.annotations?.[policy], undefined);
    assert.deepEqual(await crdOf({ enabled: false }), []);
  });

  it('leaves out what Prometheus Operator would need to know, where there is none', async () => {
    const kinds = (await render()).map(({ kind }) => kind);
    assert.ok(!kinds.some((kind) => /Monitor$|^PrometheusRule$/.test(kind)));
    const known = ['ServiceMonitor', 'PodMonitor', 'PrometheusRule'];
    const args = known.flatMap((kind) => ['--api-versions', `monitoring.coreos.com/v1/${kind}`]);
    const there = (await render({ args })).map(({ kind }) => kind);
    for (const kind of known) assert.ok(there.includes(kind), kind);
  });

  it('runs as restricted Pod Security asks, in the operator and in the test', async () => {
    const manifests = await render();
    for (const pod of [podOf(manifests), one(manifests, 'Pod')['spec'] as Manifest]) {
      assert.equal(pod['securityContext'].runAsNonRoot, true);
      assert.equal(pod['securityContext'].seccompProfile.type, 'RuntimeDefault');
      for (const { securityContext } of [...(pod['initContainers'] ?? []), ...pod['containers']] as Manifest[])
        assert.deepEqual(securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
    }
  });

  it('runs two replicas apart from each other, of which a drain takes one', async () => {
    const manifests = await render();
    assert.equal(one(manifests, 'Deployment')['spec'].replicas, 2);
    assert.equal(one(manifests, 'PodDisruptionBudget')['spec'].maxUnavailable, 1);
    for (const { labelSelector } of podOf(manifests)['topologySpreadConstraints'] as Manifest[])
      assert.deepEqual(labelSelector, one(manifests, 'Deployment')['spec'].selector);
  });

  it('budgets by minAvailable where it is given, zero included, and by maxUnavailable where it is not', async () => {
    for (const [values, wanted] of [
      [{}, { maxUnavailable: 1 }],
      [{ minAvailable: '' }, { maxUnavailable: 1 }],
      [{ minAvailable: null }, { maxUnavailable: 1 }],
      [{ maxUnavailable: '50%' }, { maxUnavailable: '50%' }],
      [{ minAvailable: 0 }, { minAvailable: 0 }],
      [{ minAvailable: '50%', maxUnavailable: null }, { minAvailable: '50%' }],
    ] as const) {
      const { spec } = one(await render({ values: { podDisruptionBudget: values } }), 'PodDisruptionBudget');
      const { selector: _, unhealthyPodEvictionPolicy: _policy, ...budget } = spec as Manifest;
      assert.deepEqual(budget, wanted);
    }
  });

  it('names the image by registry, tag and digest, and every Secret for pulling once', async () => {
    const manifests = await example('image');
    assert.match(
      operatorOf(manifests)['image'] as string,
      /^mirror\.example\.com\/hub\/payments\/paycert:0\.1\.0-rc\.1@sha256:[0-9a-f]{64}$/,
    );
    assert.deepEqual(podOf(manifests)['imagePullSecrets'], [{ name: 'mirror' }, { name: 'other' }]);
    assert.equal(podOf(manifests)['priorityClassName'], 'system-cluster-critical');
    for (const { metadata } of manifests.filter(({ kind }) => kind !== 'Pod'))
      assert.equal(metadata.labels?.['example.com/team'], 'payments', metadata.name);
  });

  it('labels every object with a version that a label may hold, whatever the tag', async () => {
    const long = 'a'.repeat(62);
    for (const [tag, version] of [
      ['1.2.3', '1.2.3'],
      ['1.10', '1.10'],
      ['1.2.3-', '1.2.3'],
      ['main_.-', 'main'],
      ['_main', 'main'],
      [`${long}-${long}`, long],
      ['_', undefined],
    ])
      for (const { metadata } of (await render({ values: { image: { tag } } })).filter(({ kind }) => kind !== 'Pod'))
        assert.equal(metadata.labels?.['app.kubernetes.io/version'], version, `${metadata.name} ${String(tag)}`);
  });

  it('leaves a spread that has a selector as it is', async () => {
    const [spread] = podOf(await example('scheduling'))['topologySpreadConstraints'] as Manifest[];
    assert.deepEqual(spread?.['labelSelector'], { matchLabels: { mine: 'true' } });
  });

  it('reaches the ports of the API server and DNS, and lets the test in beside those that are named', async () => {
    const { spec } = one(await example('network-policy'), 'NetworkPolicy');
    const ports = (spec.egress as { ports: { port: number }[] }[]).map((rule) => rule.ports.map(({ port }) => port));
    assert.deepEqual(ports, [[53, 53], [6443, 8443], [3128]]);
    assert.equal(spec.ingress[0].ports[0].port, 9090);
    assert.deepEqual(spec.ingress[0].from[0].podSelector.matchLabels['app.kubernetes.io/component'], 'test');
  });

  it('puts everything in the namespace that the values name, and nothing elsewhere', async () => {
    const namespaces = (await example('names')).map(({ metadata }) => metadata.namespace ?? '');
    assert.deepEqual(new Set(namespaces), new Set(['', 'elsewhere']));
  });

  it('renders more objects, whether text or object, through templates', async () => {
    const names = ofKind(await example('extra-objects'), 'ConfigMap').map(({ metadata }) => metadata.name);
    assert.deepEqual(names.sort(), ['paycert-object', 'paycert-text']);
  });

  it('scrapes each of its pods, and the port of the sidecar example', async () => {
    const manifests = await render({
      values: { serviceMonitor: { renderMode: 'alwaysRender' }, podMonitor: { renderMode: 'alwaysRender' } },
    });
    const service = one(manifests, 'Service');
    const { selector, endpoints } = one(manifests, 'ServiceMonitor')['spec'] as Manifest;
    for (const [name, value] of Object.entries(selector.matchLabels as object))
      assert.equal(service.metadata.labels?.[name], value);
    assert.equal(endpoints[0].port, service['spec'].ports[0].name);
    assert.deepEqual(one(manifests, 'PodMonitor')['spec'].selector, { matchLabels: { 'paycert.dev/sidecar': 'true' } });
  });
});
