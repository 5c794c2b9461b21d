// What the chart renders: the operator's words, permissions and pods, as the values say.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  at,
  chart,
  type Fields,
  fieldsAt,
  listAt,
  type Manifest,
  noHelm,
  ofKind,
  one,
  render,
  template,
} from './helm.ts';

const example = (name: string) => render({ files: [`${chart}/ci/${name}-values.yaml`] });
const argsOf = (manifests: Manifest[]): string[] => operatorOf(manifests)['args'] as string[];
const podOf = (manifests: Manifest[]): Fields => fieldsAt(one(manifests, 'Deployment'), 'spec.template.spec');
const operatorOf = (manifests: Manifest[]): Fields => fieldsAt(podOf(manifests), 'containers.0');

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

describe('the chart', { skip: noHelm, timeout: 900_000 }, () => {
  it('grants the operator what it needs in the cluster, and one Lease by name, which it may make', async () => {
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

  it('takes nodes and taints from the parent chart where it has none of its own, and marks the definition', async () => {
    const manifests = await example('global');
    assert.deepEqual(podOf(manifests)['nodeSelector'], { 'kubernetes.io/arch': 'amd64', 'kubernetes.io/os': 'linux' });
    assert.deepEqual(podOf(manifests)['tolerations'], [{ key: 'dedicated', operator: 'Exists' }]);
    const { labels, annotations } = at(one(manifests, 'Deployment'), 'spec.template.metadata') as Manifest['metadata'];
    assert.deepEqual([labels?.['example.com/cost'], labels?.['app.kubernetes.io/name']], ['platform', 'paycert']);
    assert.equal(annotations?.['example.com/owner'], 'platform');
    assert.deepEqual([podOf(manifests)['runtimeClassName'], podOf(manifests)['hostUsers']], ['gvisor', false]);
    assert.deepEqual(Object.keys(podOf(manifests)['affinity'] as object), ['nodeAffinity']);
    assert.deepEqual(podOf(manifests)['hostAliases'], [{ ip: '10.0.0.9', hostnames: ['proxy.example.com'] }]);
    const own = {
      tolerations: [{ key: 'own', operator: 'Exists' }],
      affinity: { podAntiAffinity: {} },
      runtimeClassName: 'kata',
      hostUsers: true,
      hostAliases: [{ ip: '10.0.0.1', hostnames: ['own.example.com'] }],
    };
    const changed = podOf(await render({ files: [`${chart}/ci/global-values.yaml`], values: own }));
    for (const [field, value] of Object.entries(own)) assert.deepEqual(changed[field], value);
    const { metadata } = one(manifests, 'CustomResourceDefinition');
    assert.equal(metadata.labels?.['team'], 'platform');
    assert.deepEqual(metadata.annotations, {
      'argocd.argoproj.io/sync-options': 'Replace=true',
      'helm.sh/resource-policy': 'keep',
    });
  });

  it('renders what is tuned: probes, names, roles for people, requests that follow use, the address of the runbook', async () => {
    const manifests = await example('tuned');
    const deployment = one(manifests, 'Deployment');
    const { metadata } = deployment;
    assert.deepEqual([metadata.name, metadata.labels?.['app.kubernetes.io/name']], ['paycert', 'pay']);
    assert.equal(at(deployment, 'spec.revisionHistoryLimit'), 7);
    const securityContext = fieldsAt(podOf(manifests), 'securityContext');
    assert.deepEqual([securityContext['runAsUser'], securityContext['supplementalGroups']], [1234, [77]]);
    const { livenessProbe, readinessProbe } = operatorOf(manifests);
    const port = 'admin';
    assert.deepEqual(livenessProbe, {
      httpGet: { path: '/livez', port },
      ...{ initialDelaySeconds: 11, periodSeconds: 12, timeoutSeconds: 13, failureThreshold: 14, successThreshold: 1 },
    });
    assert.deepEqual(readinessProbe, {
      httpGet: { path: '/readyz', port },
      ...{ initialDelaySeconds: 21, periodSeconds: 22, timeoutSeconds: 23, failureThreshold: 24, successThreshold: 2 },
    });
    const autoscaler = one(manifests, 'VerticalPodAutoscaler');
    assert.equal(at(autoscaler, 'spec.updatePolicy.updateMode'), 'Recreate');
    const policy = fieldsAt(autoscaler, 'spec.resourcePolicy.containerPolicies.0');
    assert.deepEqual([policy['minAllowed'], policy['maxAllowed']], [{ memory: '64Mi' }, { memory: '1Gi' }]);
    assert.deepEqual(
      ofKind(manifests, 'ClusterRole').map((role) => role.metadata.name),
      ['paycert'],
    );
    const rules = JSON.stringify(one(manifests, 'PrometheusRule'));
    assert.match(rules, /"runbook_url":"https:\/\/wiki\.example\.com\/paycert#/);
    assert.doesNotMatch(rules, /github\.com\/paycert\/paycert\/blob\/main\/docs\/runbook/);
  });

  it('lets people see resources by view, and change them by edit and admin, unless told otherwise', async () => {
    const rolesWith = async (rbac: object) =>
      ofKind(await render({ values: { rbac } }), 'ClusterRole').flatMap(({ metadata, rules }) => {
        const aggregated = Object.keys(metadata.labels ?? {}).flatMap(
          (name) => /aggregate-to-(\w+)$/.exec(name)?.[1] ?? [],
        );
        const [{ verbs }] = rules as [{ verbs: readonly string[] }];
        return aggregated.length > 0 ? [[aggregated.sort().join(), verbs.join()]] : [];
      });
    const sees = ['admin,edit,view', 'get,list,watch'];
    const changes = ['admin,edit', 'create,update,patch,delete,deletecollection'];
    assert.deepEqual(await rolesWith({}), [sees, changes]);
    assert.deepEqual(await rolesWith({ aggregateToEdit: false }), [sees]);
    assert.deepEqual(await rolesWith({ aggregateToUserRoles: false }), []);
    assert.deepEqual(await rolesWith({ scope: 'namespaces', namespaces: ['pay'] }), []);
  });

  it('selects namespaces by their labels, which takes the permission to list them', async () => {
    const manifests = await example('namespace-selector');
    assert.ok(argsOf(manifests).includes('--namespace-selector=team=pay,stage!=test'));
    assert.deepEqual(
      grants(operatorRoles(manifests)),
      [...own, 'get,list,watch secrets', 'list,watch namespaces', ...lease].sort(),
    );
  });

  it('looks at the resources of its class, and shares the definition of another release', async () => {
    const manifests = await example('operator-class');
    assert.ok(argsOf(manifests).includes('--operator-class=team-b'));
    assert.deepEqual(ofKind(manifests, 'CustomResourceDefinition'), []);
    assert.ok(argsOf(await example('default')).every((argument) => !argument.startsWith('--operator-class')));
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

  it('renders no Lease, which Argo CD would leave out, and lets the operator make its own', async () => {
    const manifests = await render({ values: { leaderElection: { leaseName: 'mine' } } });
    assert.deepEqual(ofKind(manifests, 'Lease'), []);
    assert.ok(argsOf(manifests).includes('--lease=paycert-system/mine'));
    const leases = grants(ofKind(manifests, 'Role')).filter((grant) => grant.includes('leases'));
    assert.deepEqual(leases, ['create leases', 'get,update leases mine']);
  });

  it('renders the Lease, without a holder, where the operator may not make one', async () => {
    const manifests = await render({ values: { leaderElection: { renderLease: true } } });
    const { spec, metadata } = one(manifests, 'Lease');
    assert.deepEqual([metadata.name, metadata.namespace, spec], ['paycert', 'paycert-system', undefined]);
    assert.deepEqual(grants(ofKind(manifests, 'Role')), ['get,update leases paycert']);
  });

  it('renders nothing that Argo CD leaves out by default, and selects by nothing that GitOps tools rewrite', async () => {
    const values = { serviceMonitor: { renderMode: 'alwaysRender' }, podMonitor: { renderMode: 'alwaysRender' } };
    const manifests = await render({ values });
    // resource.exclusions of Argo CD 3, as far as a chart could render them.
    const excluded =
      /^(Endpoints|EndpointSlice|Lease|\w+(Access|Token)Review|\w*CertificateSigningRequest|CertificateRequest|Cilium\w+|\w*(Policy|AdmissionReport)Report)$/;
    for (const { kind } of manifests) assert.doesNotMatch(kind, excluded);
    for (const monitor of ofKind(manifests, 'ServiceMonitor'))
      assert.deepEqual(Object.keys(fieldsAt(monitor, 'spec.selector.matchLabels')), ['paycert.dev/metrics']);
    for (const { metadata } of manifests) assert.equal(metadata.annotations?.['helm.sh/hook'] ?? 'test', 'test');
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
    for (const pod of [podOf(manifests), fieldsAt(one(manifests, 'Pod'), 'spec')]) {
      assert.equal(at(pod, 'securityContext.runAsNonRoot'), true);
      assert.equal(at(pod, 'securityContext.seccompProfile.type'), 'RuntimeDefault');
      for (const { securityContext } of [...((pod['initContainers'] ?? []) as Fields[]), ...listAt(pod, 'containers')])
        assert.deepEqual(securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
    }
  });

  it('runs two replicas apart from each other, of which a drain takes one', async () => {
    const manifests = await render();
    assert.equal(at(one(manifests, 'Deployment'), 'spec.replicas'), 2);
    assert.equal(at(one(manifests, 'PodDisruptionBudget'), 'spec.maxUnavailable'), 1);
    for (const { labelSelector } of listAt(podOf(manifests), 'topologySpreadConstraints'))
      assert.deepEqual(labelSelector, at(one(manifests, 'Deployment'), 'spec.selector'));
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
      const rendered = one(await render({ values: { podDisruptionBudget: values } }), 'PodDisruptionBudget');
      const { selector: _, unhealthyPodEvictionPolicy: _policy, ...budget } = fieldsAt(rendered, 'spec');
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
    const [spread] = listAt(podOf(await example('scheduling')), 'topologySpreadConstraints');
    assert.deepEqual(spread?.['labelSelector'], { matchLabels: { mine: 'true' } });
  });

  it('reaches the ports of the API server and DNS, and lets the test in beside those that are named', async () => {
    const policy = one(await example('network-policy'), 'NetworkPolicy');
    const ports = (at(policy, 'spec.egress') as { ports: { port: number }[] }[]).map((rule) =>
      rule.ports.map(({ port }) => port),
    );
    assert.deepEqual(ports, [[53, 53], [6443, 8443], [3128]]);
    assert.equal(at(policy, 'spec.ingress.0.ports.0.port'), 9090);
    const labels = fieldsAt(policy, 'spec.ingress.0.from.0.podSelector.matchLabels');
    assert.equal(labels['app.kubernetes.io/component'], 'test');
  });

  it('closes the port of the operator as soon as somebody is named who may reach it, and leaves open what it reaches', async () => {
    assert.deepEqual(ofKind(await render(), 'NetworkPolicy'), []);
    const from = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } };
    const policy = one(await render({ values: { networkPolicy: { ingressFrom: [from] } } }), 'NetworkPolicy');
    assert.deepEqual(at(policy, 'spec.policyTypes'), ['Ingress']);
    assert.equal(at(policy, 'spec.egress'), undefined);
    assert.equal(listAt(policy, 'spec.ingress').length, 1);
    const [test = {}, ...others] = listAt(policy, 'spec.ingress.0.from');
    assert.equal(fieldsAt(test, 'podSelector.matchLabels')['app.kubernetes.io/component'], 'test');
    assert.deepEqual(others, [from]);
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
    const monitor = one(manifests, 'ServiceMonitor');
    for (const [name, value] of Object.entries(fieldsAt(monitor, 'spec.selector.matchLabels')))
      assert.equal(service.metadata.labels?.[name], value);
    assert.equal(at(monitor, 'spec.endpoints.0.port'), at(service, 'spec.ports.0.name'));
    assert.deepEqual(at(one(manifests, 'PodMonitor'), 'spec.selector'), {
      matchLabels: { 'paycert.dev/sidecar': 'true' },
    });
  });

  it('says of the pods what the values say, each in its place', async () => {
    const manifests = await example('pod');
    const deployment = one(manifests, 'Deployment');
    assert.equal(deployment.metadata.labels?.['example.com/team'], 'payments');
    assert.equal(at(deployment, 'spec.minReadySeconds'), 5);
    const pod = podOf(manifests);
    const { initContainers, containers, volumes, ...others } = pod as Record<string, { name: string }[]>;
    assert.deepEqual(
      [initContainers, containers, volumes].map((list) => list?.map(({ name }) => name)),
      [['wait'], ['operator', 'beside'], ['ca']],
    );
    const wanted = {
      hostUsers: false,
      hostAliases: [{ ip: '10.0.0.1', hostnames: ['proxy.example.com'] }],
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['10.0.0.10'], searches: ['svc.cluster.local'] },
      runtimeClassName: 'gvisor',
      schedulerName: 'ours',
    };
    for (const [name, value] of Object.entries(wanted)) assert.deepEqual(others[name], value, name);
    const operator = operatorOf(manifests);
    assert.deepEqual(operator['envFrom'], [{ configMapRef: { name: 'proxy' } }]);
    assert.deepEqual(operator['volumeMounts'], [{ name: 'ca', mountPath: '/etc/ca', readOnly: true }]);
    assert.deepEqual([operator['livenessProbe'], operator['readinessProbe']], [undefined, undefined]);
    for (const arg of ['--concurrency=4', '--lease-duration=60s', '--renew-deadline=40s', '--retry-period=10s'])
      assert.ok(argsOf(manifests).includes(arg), arg);
    assert.equal(argsOf(manifests).at(-1), '--log-level=debug');
    const account = one(manifests, 'ServiceAccount');
    assert.equal(account.metadata.labels?.['example.com/team'], 'payments');
    assert.equal(account['automountServiceAccountToken'], true);
    const service = fieldsAt(one(manifests, 'Service'), 'spec');
    assert.deepEqual([service['ipFamilies'], service['ipFamilyPolicy']], [['IPv4'], 'SingleStack']);
  });

  it('says nothing of the pods that the values do not say', async () => {
    const manifests = await render();
    assert.deepEqual(Object.keys(podOf(manifests)).sort(), [
      'automountServiceAccountToken',
      'containers',
      'enableServiceLinks',
      'nodeSelector',
      'securityContext',
      'serviceAccountName',
      'terminationGracePeriodSeconds',
      'topologySpreadConstraints',
    ]);
    for (const probe of ['livenessProbe', 'readinessProbe'])
      assert.equal(at(operatorOf(manifests), `${probe}.enabled`), undefined);
  });

  it('looks names up through the cluster in the network of the node too', async () => {
    const pod = podOf(await render({ values: { hostNetwork: true } }));
    assert.deepEqual([pod['hostNetwork'], pod['dnsPolicy']], [true, 'ClusterFirstWithHostNet']);
  });

  it('elects the leader in the namespace that the values name, and grants no more there', async () => {
    const manifests = await example('pod');
    assert.ok(argsOf(manifests).includes('--lease=kube-system/paycert'));
    const [role, ...others] = ofKind(manifests, 'Role');
    assert.deepEqual([role?.metadata.namespace, others], ['kube-system', []]);
    assert.equal(at(one(manifests, 'RoleBinding'), 'subjects.0.namespace'), 'paycert-system');
  });

  it('runs one replica without an election, and asks for no Lease', async () => {
    const manifests = await example('one-replica');
    assert.ok(!argsOf(manifests).some((arg) => /lease|renew|retry/.test(arg)));
    assert.deepEqual([...ofKind(manifests, 'Role'), ...ofKind(manifests, 'Lease')], []);
  });

  it('leaves the ids to OpenShift where there is one, or where it is told so', async () => {
    const ids = ['runAsUser', 'runAsGroup', 'fsGroup'];
    const args = ['--api-versions', 'security.openshift.io/v1'];
    for (const [options, isLeft] of [
      [{}, false],
      [{ args }, true],
      [{ args, values: { openshift: 'disabled' } }, false],
      [{ values: { openshift: 'force' } }, true],
    ] as const) {
      const manifests = await render(options);
      for (const pod of [podOf(manifests), fieldsAt(one(manifests, 'Pod'), 'spec')]) {
        const securityContext = fieldsAt(pod, 'securityContext');
        assert.equal(securityContext['runAsNonRoot'], true);
        for (const id of ids) assert.equal(id in securityContext, !isLeft, id);
      }
    }
  });

  it('lets the monitors say everything that Prometheus Operator knows', async () => {
    const manifests = await example('monitoring');
    const service = fieldsAt(one(manifests, 'ServiceMonitor'), 'spec');
    assert.deepEqual(
      [service['jobLabel'], service['targetLabels'], service['sampleLimit']],
      ['app.kubernetes.io/instance', ['app.kubernetes.io/version'], 10_000],
    );
    const { scheme, tlsConfig, honorLabels, proxyUrl } = fieldsAt(service, 'endpoints.0');
    assert.deepEqual(
      [scheme, tlsConfig, honorLabels, proxyUrl],
      ['https', { insecureSkipVerify: true }, true, 'http://proxy.example.com'],
    );
    const pods = fieldsAt(one(manifests, 'PodMonitor'), 'spec');
    assert.deepEqual([pods['jobLabel'], pods['podTargetLabels'], pods['sampleLimit']], ['app', ['app'], 10_000]);
  });

  it('lets the VerticalPodAutoscaler size the operator, where that is asked for', async () => {
    assert.deepEqual(ofKind(await render(), 'VerticalPodAutoscaler'), []);
    const values = {
      verticalPodAutoscaler: { enabled: true, maxAllowed: { memory: '1Gi' }, controlledResources: ['memory'] },
    };
    const autoscaler = one(await render({ values }), 'VerticalPodAutoscaler');
    const policy = fieldsAt(autoscaler, 'spec.resourcePolicy.containerPolicies.0');
    assert.deepEqual(policy['controlledResources'], ['memory']);
    assert.equal(at(autoscaler, 'spec.targetRef.name'), 'paycert');
    assert.deepEqual(policy['maxAllowed'], { memory: '1Gi' });
    assert.deepEqual(at(autoscaler, 'spec.updatePolicy'), { updateMode: 'Initial' });
    assert.equal(policy['controlledValues'], 'RequestsOnly');
    assert.equal(at(autoscaler, 'spec.recommenders'), undefined);
    const more = { minReplicas: 1, recommenders: ['nightly'], controlledValues: 'RequestsAndLimits' };
    const chosen = { verticalPodAutoscaler: { enabled: true, ...more } };
    const other = one(await render({ values: chosen }), 'VerticalPodAutoscaler');
    assert.deepEqual(at(other, 'spec.updatePolicy'), { updateMode: 'Initial', minReplicas: 1 });
    assert.deepEqual(at(other, 'spec.recommenders'), [{ name: 'nightly' }]);
    assert.equal(at(other, 'spec.resourcePolicy.containerPolicies.0.controlledValues'), 'RequestsAndLimits');
    const two = { verticalPodAutoscaler: { ...chosen.verticalPodAutoscaler, recommenders: ['a', 'b'] } };
    assert.match((await template({ values: two })).stderr, /recommenders/);
  });

  it('gives pods every other field of their spec, and refuses those that have a value of their own', async () => {
    const pod = podOf(await render({ values: { podSpec: { preemptionPolicy: 'Never' } } }));
    assert.equal(pod['preemptionPolicy'], 'Never');
    const everything = podOf(await example('pod'));
    const others = Object.keys(everything).filter(
      (field) => !['preemptionPolicy', 'shareProcessNamespace'].includes(field),
    );
    assert.ok(others.length > 15);
    for (const field of others) {
      const { code, stderr } = await template({ values: { podSpec: { [field]: everything[field] } } });
      assert.notEqual(code, 0, field);
      assert.ok(stderr.includes(`invalid propertyName '${field}'`), stderr);
    }
  });

  it('makes a PaymentCredential after its definition, in the first install too', async () => {
    const resource = {
      apiVersion: 'paycert.dev/v1alpha1',
      kind: 'PaymentCredential',
      metadata: { name: 'wechat-main', annotations: { mine: 'mine' } },
    };
    const values = { extraObjects: [resource] };
    const { metadata } = one(await render({ values }), 'PaymentCredential');
    assert.equal(metadata.annotations?.['helm.sh/hook'], 'post-install,post-upgrade');
    assert.equal(metadata.annotations['mine'], 'mine');
    assert.equal(metadata.annotations['meta.helm.sh/release-name'], 'paycert');
    assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'Helm');
    const args = ['--api-versions', 'paycert.dev/v1alpha1/PaymentCredential'];
    const known = one(await render({ values, args }), 'PaymentCredential');
    assert.deepEqual(known.metadata, resource.metadata);
  });
});
