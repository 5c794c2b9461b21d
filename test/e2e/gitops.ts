// A loop as that of Argo CD: it applies the rendered chart server-side again and again, and leaves Leases out, as it does by default.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { chart, type Manifest } from '../chart/helm.ts';
import { eventually, execute, kubectl } from './kubernetes.ts';
import { statusFollows } from './questions.ts';
import { rotate, signOn } from './traffic.ts';
import type { World } from './world.ts';

const rounds = 4;
const seconds = 10;

export function gitops(world: () => World): void {
  it('works under a loop that applies the rendered chart every ten seconds, without Leases, and gives it nothing to change', async (t) => {
    const { system, kubernetes, imageValues } = world();
    // With the Lease of those who render it, which is left out all the same.
    const text = await execute('helm', ['template', 'argo', chart, '-n', system, '--include-crds', ...imageValues]);
    const manifests = parseAllDocuments(text)
      .map((document) => document.toJSON() as Manifest | null)
      .filter((manifest): manifest is Manifest => manifest !== null && manifest.kind !== 'Lease')
      .filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === undefined);
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests });
    const words = ['-n', system, '-f', '-', '-o', 'json'];
    const apply = async (): Promise<string[]> => {
      const said = await execute('kubectl', ['apply', '--server-side', '--force-conflicts', '--field-manager=argocd-controller', ...words], list); // prettier-ignore
      const { items } = JSON.parse(said) as { items: (Manifest & { metadata: { generation?: number } })[] };
      return items.map(({ kind, metadata }) => `${kind}/${metadata.name} ${metadata.generation ?? ''}`);
    };
    t.after(() => execute('kubectl', ['delete', '-n', system, '--ignore-not-found', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests.filter(({ kind }) => kind !== 'CustomResourceDefinition') }))); // prettier-ignore

    const first = await apply();
    await kubectl('rollout', 'status', 'deployment/argo-paycert', '-n', system, '--timeout=90s');
    const lease = `/apis/coordination.k8s.io/v1/namespaces/${system}/leases/argo-paycert`;
    const leader = await eventually('one of them leads', 30, async () => {
      const { holderIdentity } = (await kubernetes.json('GET', lease))['spec'] as { holderIdentity?: string };
      return holderIdentity;
    });
    for (let round = 1; round < rounds; round += 1) {
      await sleep(seconds * 1000);
      assert.deepEqual(await apply(), first, 'a round has changed something');
      if (round === 1) await rotate(t, world(), { api: 2 });
    }
    await statusFollows(world(), 20);
    const pods = await kubectl('get', 'pods', '-n', system, '-l', 'app.kubernetes.io/instance=argo', '-o', 'jsonpath={.items[*].status.containerStatuses[*].restartCount}'); // prettier-ignore
    assert.equal(pods, '0 0');
    const { holderIdentity } = (await kubernetes.json('GET', lease))['spec'] as { holderIdentity: string };
    assert.equal(holderIdentity, leader);
    await signOn(world());
  });
}
