// What the chart renders of the operator's audit: an option and its key where it is on, and nothing where it is off.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at, chart, type Manifest, noHelm, one, render } from './helm.ts';

const container = (manifests: readonly Manifest[]) =>
  at(one(manifests, 'Deployment'), 'spec.template.spec.containers.0') as Readonly<Record<string, readonly object[]>>;

describe('the audit in the chart', { skip: noHelm, timeout: 300_000 }, () => {
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
});
