// charts/paycert/ci: each example lints, renders with every Helm, and is what a real API server takes, in a restricted namespace too.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { stringify } from 'yaml';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition } from '../support/operator.ts';
import { makeDirectory } from '../support/sidecar.ts';
import { chart, exampleFiles, helms, lacks, type Manifest, noHelm, one, render, run } from './helm.ts';

for (const helm of helms) {
  describe(`the chart, with ${helm}`, { skip: lacks(helm), timeout: 900_000 }, () => {
    for (const file of exampleFiles) {
      it(`passes lint with ${file}`, async () => {
        const { code, stdout, stderr } = await run(helm, [
          'lint',
          chart,
          '--strict',
          '--kube-version',
          '1.35.0',
          '-f',
          file,
        ]);
        assert.equal(code, 0, stdout + stderr);
      });

      it(`renders names and labels that fit with ${file}`, async () => {
        const manifests = await render({
          helm,
          files: [file],
          release: 'a-release-with-a-name-of-fifty-three-letters-as-helm',
        });
        assert.ok(manifests.length >= 4);
        for (const { kind, metadata } of manifests) {
          assert.ok(kind === 'CustomResourceDefinition' || metadata.name.length <= 63, metadata.name);
          for (const value of Object.values(metadata.labels ?? {}))
            assert.match(value, /^(|[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)$/);
        }
      });
    }

    it('refuses a cluster that has no native sidecars', async () => {
      const { code, stderr } = await run(helm, ['template', 'x', chart, '--kube-version', '1.28.0']);
      assert.notEqual(code, 0);
      assert.match(stderr, /requires kubeVersion: >=1\.29/);
    });
  });
}

/** An API server without Prometheus Operator and the autoscaler does not know these. */
const foreignGroups = ['monitoring.coreos.com', 'autoscaling.k8s.io'];
const isKnown = ({ apiVersion }: Manifest) => !foreignGroups.some((group) => apiVersion.startsWith(`${group}/`));

describe('what the chart renders', { skip: noHelm || noControlPlane, timeout: 900_000 }, () => {
  const controlPlane = useControlPlane();

  for (const file of exampleFiles) {
    it(`is what the API server takes, field by field, with ${file}`, async (t) => {
      const plane = controlPlane();
      const kubeconfig = await plane.kubeconfig('default');
      const manifests = (await render({ files: [file] })).filter(isKnown);
      for (const name of new Set(manifests.flatMap(({ metadata }) => metadata.namespace ?? []))) {
        const labels = {
          'pod-security.kubernetes.io/enforce': 'restricted',
          'pod-security.kubernetes.io/warn': 'restricted',
        };
        await plane.admin('POST', '/api/v1/namespaces', { metadata: { name, labels } }).catch(() => undefined);
      }
      const path = join(await makeDirectory(t), 'all.yaml');
      await writeFile(path, manifests.map((manifest) => stringify(manifest)).join('---\n'));
      const args = ['apply', '--dry-run=server', '--validate=strict', '--kubeconfig', kubeconfig, '-f', path];
      const { code, stdout, stderr } = await run('kubectl', args);
      assert.equal(code, 0, stderr);
      assert.equal(stderr, '', 'a warning, such as of Pod Security');
      assert.equal(stdout.trim().split('\n').length, manifests.length);
    });
  }

  it('includes a definition of PaymentCredential that the API server serves', async () => {
    const plane = controlPlane();
    await installDefinition(plane, one(await render(), 'CustomResourceDefinition'));
    const { items } = await plane.admin('GET', '/apis/paycert.dev/v1alpha1/paymentcredentials');
    assert.deepEqual(items, []);
  });
});
