// Metrics over TLS and for some accounts only: operator, probes, permissions and ServiceMonitor say the same.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chart, type Manifest, noHelm, ofKind, one, render } from './helm.ts';

const example = () => render({ files: [`${chart}/ci/metrics-access-values.yaml`] });
const operatorOf = (manifests: Manifest[]): Manifest => podOf(manifests)['containers'][0] as Manifest;
const argsOf = (manifests: Manifest[]): string[] => operatorOf(manifests)['args'] as string[];
const podOf = (manifests: Manifest[]): Manifest => one(manifests, 'Deployment')['spec'].template.spec as Manifest;

describe('the chart, with access to metrics', { skip: noHelm, timeout: 300_000 }, () => {
  it('mounts the certificate, and probes over TLS', async () => {
    const manifests = await example();
    const { volumeMounts, livenessProbe, readinessProbe } = operatorOf(manifests);
    const args = argsOf(manifests);
    for (const word of ['--tls=/etc/paycert/tls', '--metrics-auth', '--api-qps=20', '--api-burst=40'])
      assert.ok(args.includes(word), word);
    assert.deepEqual(volumeMounts, [{ name: 'tls', mountPath: '/etc/paycert/tls', readOnly: true }]);
    assert.deepEqual(podOf(manifests)['volumes'], [
      { name: 'tls', secret: { secretName: 'paycert-tls', defaultMode: 0o440 } },
    ]);
    for (const { httpGet } of [livenessProbe, readinessProbe]) assert.equal(httpGet.scheme, 'HTTPS');
  });

  it('lets the operator review tokens, and the accounts that are named read', async () => {
    const manifests = await example();
    assert.deepEqual(one(manifests, 'ClusterRole', 'paycert-metrics-auth')['rules'], [
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    ]);
    const binding = one(manifests, 'ClusterRoleBinding', 'paycert-metrics-reader');
    assert.equal(binding['roleRef'].name, 'paycert-metrics-reader');
    assert.deepEqual(binding['subjects'], [
      { kind: 'ServiceAccount', name: 'prometheus-k8s', namespace: 'monitoring' },
    ]);
    assert.deepEqual(one(manifests, 'ClusterRole', 'paycert-metrics-reader')['rules'], [
      { nonResourceURLs: ['/metrics'], verbs: ['get'] },
    ]);
  });

  it('has Prometheus check the certificate and send its token, unless it is told otherwise', async () => {
    const [endpoint] = one(await example(), 'ServiceMonitor')['spec'].endpoints;
    assert.equal(endpoint.scheme, 'https');
    assert.deepEqual(endpoint.tlsConfig, {
      ca: { secret: { name: 'paycert-tls', key: 'ca.crt' } },
      serverName: 'paycert-metrics.paycert-system.svc',
    });
    assert.equal(endpoint.bearerTokenFile, '/var/run/secrets/kubernetes.io/serviceaccount/token');
    const authorization = { credentials: { name: 'token', key: 'token' } };
    const own = { serviceMonitor: { tlsConfig: { insecureSkipVerify: true }, endpoint: { authorization } } };
    const changed = await render({ files: [`${chart}/ci/metrics-access-values.yaml`], values: own });
    const [told] = one(changed, 'ServiceMonitor')['spec'].endpoints;
    assert.deepEqual(told.tlsConfig, { insecureSkipVerify: true });
    assert.deepEqual([told.authorization, told.bearerTokenFile], [authorization, undefined]);
  });

  it('asks over TLS whether the operator is ready, in helm test', async () => {
    const { args } = one(await example(), 'Pod')['spec'].containers[0] as { args: string[] };
    assert.match(args.at(-1) ?? '', /^https:\/\/paycert-metrics\.paycert-system\.svc:9464\/readyz$/);
  });

  it('renders nothing of it by default', async () => {
    const manifests = await render();
    assert.deepEqual(
      ofKind(manifests, 'ClusterRole').filter(({ metadata }) => metadata.name.includes('metrics')),
      [],
    );
    assert.equal(operatorOf(manifests)['volumeMounts'], undefined);
    assert.deepEqual(
      argsOf(manifests).filter((word) => /tls|auth|api-/.test(word)),
      [],
    );
  });
});
