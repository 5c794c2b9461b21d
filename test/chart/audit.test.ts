// What the chart renders of the operator's audit: an option and its key where it is on, and nothing where it is off.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at, chart, type Manifest, noHelm, one, render } from './helm.ts';

const container = (manifests: readonly Manifest[]) =>
  at(one(manifests, 'Deployment'), 'spec.template.spec.containers.0') as Readonly<Record<string, readonly object[]>>;

describe('the audit in the chart', { skip: noHelm, timeout: 900_000 }, () => {
  it('is off: no option and no volume', async () => {
    const { args = [], volumeMounts = [] } = container(await render({}));
    assert.doesNotMatch(JSON.stringify([args, volumeMounts]), /audit/);
  });

  it('has its key from a Secret, read-only, or none', async () => {
    const manifests = await render({ files: [`${chart}/ci/audit-values.yaml`] });
    const { args = [], volumeMounts } = container(manifests);
    assert.deepEqual(args.filter((arg) => JSON.stringify(arg).includes('--audit')), ['--audit', '--audit-key=/etc/paycert/audit/key']); // prettier-ignore
    assert.deepEqual(volumeMounts, [{ name: 'audit', mountPath: '/etc/paycert/audit', readOnly: true }]);
    const volumes = at(one(manifests, 'Deployment'), 'spec.template.spec.volumes');
    assert.deepEqual(volumes, [{ name: 'audit', secret: { secretName: 'paycert-audit', defaultMode: 288 } }]);
    const unkeyed = container(await render({ values: { audit: { enabled: true } } }));
    assert.deepEqual(
      [unkeyed['args']?.includes('--audit' as unknown as object), unkeyed['volumeMounts']],
      [true, undefined],
    );
  });

  it('goes into files of a claim and to a collector, which the NetworkPolicy lets it call', async () => {
    const manifests = await render({ files: [`${chart}/ci/audit-places-values.yaml`] });
    const { args = [], volumeMounts, env = [] } = container(manifests);
    const flags = ['--audit', '--audit-directory=/var/lib/paycert/audit', '--audit-max-bytes=1073741824', '--audit-retention=365d', '--audit-otlp']; // prettier-ignore
    assert.deepEqual(args.filter((arg) => JSON.stringify(arg).includes('--audit')), flags); // prettier-ignore
    assert.deepEqual(volumeMounts, [{ name: 'audit-files', mountPath: '/var/lib/paycert/audit' }]);
    const endpoint = { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://otel-collector.observability:4318' };
    assert.deepEqual(env.slice(1), [endpoint]);
    const volumes = at(one(manifests, 'Deployment'), 'spec.template.spec.volumes');
    assert.deepEqual(volumes, [{ name: 'audit-files', persistentVolumeClaim: { claimName: 'paycert-audit' } }]);
    const egress = at(one(manifests, 'NetworkPolicy'), 'spec.egress') as readonly object[];
    assert.deepEqual(egress.at(-1), {
      ports: [{ port: 4318, protocol: 'TCP' }],
      to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'observability' } } }],
    });
  });

  it('goes into an emptyDir of a bounded size, to standard output too, and to one place at least', async () => {
    const audit = { enabled: true, volume: { enabled: true } };
    const manifests = await render({ values: { audit } });
    const volumes = at(one(manifests, 'Deployment'), 'spec.template.spec.volumes');
    assert.deepEqual(volumes, [{ name: 'audit-files', emptyDir: { sizeLimit: '256Mi' } }]);
    assert.ok(container(manifests)['args']?.includes('--audit-stdout' as unknown as object));
    await assert.rejects(
      render({ values: { audit: { enabled: true, stdout: false } } }),
      /needs a place for its lines/,
    );
  });
});
