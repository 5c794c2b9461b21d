// Without Helm: `kubectl apply -k deploy/` as deploy/README.md says, in the namespace that stands in it.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { root } from '../chart/helm.ts';
import { kubectl } from './kubernetes.ts';
import { statusFollows } from './questions.ts';
import { rotate, signOn } from './traffic.ts';
import type { World } from './world.ts';

const namespace = 'paycert-system';

export function manifests(world: () => World): void {
  it('runs from plain manifests too, and goes with them', async (t) => {
    const found = await kubectl('get', 'namespace', namespace, '--ignore-not-found', '-o', 'name');
    if (found !== '') {
      t.skip(`there is a namespace ${namespace} already`);
      return;
    }
    const folder = await mkdtemp(join(tmpdir(), 'paycert-deploy-'));
    await cp(join(root, 'deploy'), folder, { recursive: true });
    const operator = join(folder, '20-operator.yaml');
    const text = await readFile(operator, 'utf8');
    await writeFile(operator, text.replace('image: "paycert:0.1.0"', `image: ${world().image}`));
    t.after(async () => {
      await kubectl('delete', '-k', folder, '--ignore-not-found');
      await rm(folder, { recursive: true });
    });

    await kubectl('apply', '-k', folder);
    await kubectl('rollout', 'status', 'deployment', '-n', namespace, '--timeout=90s');
    await rotate(t, world(), { api: 2 });
    await statusFollows(world(), 20);
    await kubectl('delete', '-k', folder);
    assert.equal(await kubectl('get', 'crd,clusterrole,clusterrolebinding', '-o', 'name', '-l', 'app.kubernetes.io/name=paycert'), ''); // prettier-ignore
    await signOn(world());
  });
}
