// helm against a real API server: a definition and a resource of it in one first install, upgrades, and releases that take over from others.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { stringify } from 'yaml';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { makeDirectory } from '../support/sidecar.ts';
import { chart, helms, lacks, run } from './helm.ts';

const resource = {
  apiVersion: 'paycert.dev/v1alpha1',
  kind: 'PaymentCredential',
  metadata: { name: 'wechat-main' },
  spec: { provider: { wechatpay: { merchantId: '1900000001' } }, source: { secret: { name: 'wechat-main' } } },
};
const definition = 'paymentcredentials.paycert.dev';

for (const helm of helms) {
  describe(`a release, with ${helm}`, { skip: lacks(helm) || noControlPlane, timeout: 900_000 }, () => {
    // One for each test: the definition belongs to the whole cluster.
    const planes = [useControlPlane(), useControlPlane(), useControlPlane()];

    async function prepare(t: TestContext, index: number) {
      const kubeconfig = await planes[index]!().kubeconfig('default');
      const path = join(await makeDirectory(t), 'values.yaml');
      await writeFile(path, stringify({ extraObjects: [resource] }));
      const attempt = (program: string, ...args: string[]) => run(program, [...args, '--kubeconfig', kubeconfig]);
      const ran = async (program: string, ...args: string[]): Promise<string> => {
        const { code, stdout, stderr } = await attempt(program, ...args);
        assert.equal(code, 0, `${program} ${args.join(' ')}\n${stderr}`);
        return stdout;
      };
      const uid = () => ran('kubectl', 'get', 'paycred', 'wechat-main', '-n', 'one', '-o', 'jsonpath={.metadata.uid}');
      return { attempt, ran, uid, values: ['-f', path] };
    }

    it('makes definition and resource in one first install, keeps the resource through upgrades, and takes it away', async (t) => {
      const { ran, uid, values } = await prepare(t, 0);
      await ran(helm, 'install', 'paycert', chart, '-n', 'one', '--create-namespace', ...values);
      const made = await uid();
      for (const _ of ['first', 'second']) await ran(helm, 'upgrade', 'paycert', chart, '-n', 'one', ...values);
      assert.equal(await uid(), made);
      assert.match(await ran(helm, 'get', 'manifest', 'paycert', '-n', 'one'), /kind: PaymentCredential/);
      await ran(helm, 'uninstall', 'paycert', '-n', 'one');
      assert.equal(await ran('kubectl', 'get', 'paycred', '-n', 'one', '-o', 'name'), '');
      assert.match(await ran('kubectl', 'get', 'crd', definition, '-o', 'name'), /paymentcredentials/);
    });

    it('takes the definition over from another release, or from plain manifests, with every resource', async (t) => {
      const { ran, uid, values } = await prepare(t, 1);
      await ran(helm, 'install', 'old', chart, '-n', 'one', '--create-namespace', ...values);
      const made = await uid();
      await ran(
        helm,
        'install',
        'new',
        chart,
        '-n',
        'two',
        '--create-namespace',
        '--take-ownership',
        '--set',
        'fullnameOverride=new',
      );
      const owner = `jsonpath={.metadata.annotations.meta\\.helm\\.sh/release-namespace}`;
      assert.equal(await ran('kubectl', 'get', 'crd', definition, '-o', owner), 'two');
      assert.equal(await uid(), made);
      await ran(helm, 'upgrade', 'new', chart, '-n', 'two', '--set', 'fullnameOverride=new');
      // The definition is kept: removing the old release removes no resource but its own.
      await ran(helm, 'uninstall', 'old', '-n', 'one');
      assert.match(await ran('kubectl', 'get', 'crd', definition, '-o', 'name'), /paymentcredentials/);
    });

    it('is refused beside another one, unless it has a class of its own and leaves the definition to the first', async (t) => {
      const { attempt, ran } = await prepare(t, 2);
      await ran(helm, 'install', 'paycert', chart, '-n', 'one', '--create-namespace');
      const second = ['install', 'trial', chart, '-n', 'two', '--create-namespace'];
      const { code, stderr } = await attempt(helm, ...second);
      assert.notEqual(code, 0);
      assert.match(stderr, /CustomResourceDefinition "paymentcredentials\.paycert\.dev".*exists/s);
      await ran(helm, ...second, '--set', 'crds.enabled=false,operatorClass=trial');
      const deployments = await ran('kubectl', 'get', 'deployment', '-A', '-o', 'name');
      assert.deepEqual(deployments.trim().split('\n'), ['deployment.apps/paycert', 'deployment.apps/trial-paycert']);
    });
  });
}
