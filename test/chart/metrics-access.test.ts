// Metrics over TLS and for some accounts only: operator, probes, permissions and ServiceMonitor say the same.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at, chart, type Fields, fieldsAt, type Manifest, noHelm, ofKind, one, render } from './helm.ts';

const example = () => render({ files: [`${chart}/ci/metrics-access-values.yaml`] });
const operatorOf = (manifests: Manifest[]): Fields => fieldsAt(podOf(manifests), 'containers.0');
const argsOf = (manifests: Manifest[]): string[] => operatorOf(manifests)['args'] as string[];
const podOf = (manifests: Manifest[]): Fields => fieldsAt(one(manifests, 'Deployment'), 'spec.template.spec');

describe('the chart, with access to metrics', { skip: noHelm, timeout: 900_000 }, () => {
  it('mounts the certificate, and probes over TLS', async () => {
    const manifests = await example();
    const operator = operatorOf(manifests);
    const args = argsOf(manifests);
    for (const word of ['--tls=/etc/paycert/tls', '--metrics-auth', '--api-qps=20', '--api-burst=40'])
      assert.ok(args.includes(word), word);
    assert.deepEqual(operator['volumeMounts'], [{ name: 'tls', mountPath: '/etc/paycert/tls', readOnly: true }]);
    assert.deepEqual(podOf(manifests)['volumes'], [
      { name: 'tls', secret: { secretName: 'paycert-tls', defaultMode: 0o440 } },
    ]);
    for (const probe of ['livenessProbe', 'readinessProbe'])
      assert.equal(at(operator, `${probe}.httpGet.scheme`), 'HTTPS');
  });

  it('lets the operator review tokens, and the accounts that are named read', async () => {
    const manifests = await example();
    assert.deepEqual(one(manifests, 'ClusterRole', 'paycert-metrics-auth')['rules'], [
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    ]);
    const binding = one(manifests, 'ClusterRoleBinding', 'paycert-metrics-reader');
    assert.equal(at(binding, 'roleRef.name'), 'paycert-metrics-reader');
    assert.deepEqual(binding['subjects'], [
      { kind: 'ServiceAccount', name: 'prometheus-k8s', namespace: 'monitoring' },
    ]);
    assert.deepEqual(one(manifests, 'ClusterRole', 'paycert-metrics-reader')['rules'], [
      { nonResourceURLs: ['/metrics'], verbs: ['get'] },
    ]);
  });

  it('has Prometheus check the certificate and send its token, unless it is told otherwise', async () => {
    const endpoint = fieldsAt(one(await example(), 'ServiceMonitor'), 'spec.endpoints.0');
    assert.equal(endpoint['scheme'], 'https');
    assert.deepEqual(endpoint['tlsConfig'], {
      ca: { secret: { name: 'paycert-tls', key: 'ca.crt' } },
      serverName: 'paycert-metrics.paycert-system.svc',
    });
    assert.equal(endpoint['bearerTokenFile'], '/var/run/secrets/kubernetes.io/serviceaccount/token');
    const authorization = { credentials: { name: 'token', key: 'token' } };
    const own = { serviceMonitor: { tlsConfig: { insecureSkipVerify: true }, endpoint: { authorization } } };
    const changed = await render({ files: [`${chart}/ci/metrics-access-values.yaml`], values: own });
    const other = fieldsAt(one(changed, 'ServiceMonitor'), 'spec.endpoints.0');
    assert.deepEqual(other['tlsConfig'], { insecureSkipVerify: true });
    assert.deepEqual([other['authorization'], other['bearerTokenFile']], [authorization, undefined]);
  });

  it('asks over TLS whether the operator is ready, in helm test', async () => {
    const args = at(one(await example(), 'Pod'), 'spec.containers.0.args') as string[];
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
