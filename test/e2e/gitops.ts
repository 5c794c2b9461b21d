// A loop as that of Argo CD: it applies the rendered chart server-side again and again, and leaves Leases out, as it does by default.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { withMismatchedPair } from '../../src/testing/index.ts';
import { chart, type Manifest } from '../chart/helm.ts';
import { healthOf } from '../support/argo-health.ts';
import { kstatus } from '../support/kstatus.ts';
import { makeDirectory } from '../support/sidecar.ts';
import { eventually, execute, kubectl } from './kubernetes.ts';
import { statusFollows } from './questions.ts';
import { rotate, signOn } from './traffic.ts';
import type { World } from './world.ts';

/** Five minutes where the whole is asked for, one where not. */
const isWhole = process.env['PAYCERT_E2E'] === 'whole';
const rounds = isWhole ? 30 : 6;
const seconds = 10;
const name = 'synced';
/** Whatever of the chart writes into objects that somebody else applies. */
const features =
  'refreshPods=true,fleet.enabled=true,admission.enabled=true,admission.policy.enabled=true,injection.enabled=true';

/** The chart and a PaymentCredential, but for the Lease and for what Helm alone runs. */
async function renderAll(t: TestContext, world: World): Promise<string> {
  const { system, pay, imageValues } = world;
  const values = join(await makeDirectory(t), 'values.json');
  const synced = { ...world.credential(name), metadata: { name, namespace: pay } };
  await writeFile(values, JSON.stringify({ extraObjects: [synced] }));
  // Argo CD says which kinds there are; of this one there is a definition.
  const kinds = ['--api-versions', 'paycert.dev/v1alpha1/PaymentCredential'];
  const words = ['-n', system, '--include-crds', ...kinds, '-f', values, '--set', features, ...imageValues];
  const items = parseAllDocuments(await execute('helm', ['template', 'argo', chart, ...words]))
    .map((document) => document.toJSON() as Manifest | null)
    .filter((manifest): manifest is Manifest => manifest !== null && manifest.kind !== 'Lease')
    .filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === undefined);
  t.after(() => {
    const removed = items.filter(({ kind }) => kind !== 'CustomResourceDefinition');
    return execute('kubectl', ['delete', '--ignore-not-found', '-f', '-'], listOf(removed));
  });
  return listOf(items);
}

const listOf = (items: readonly Manifest[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });

/** What Helm and Flux, and what Argo CD make of the PaymentCredential. */
async function seen({ kubernetes, pay }: World): Promise<string> {
  const path = `/apis/paycert.dev/v1alpha1/namespaces/${pay}/paymentcredentials/${name}`;
  const object = await kubernetes.json('GET', path);
  return `${kstatus(object as never)} ${(await healthOf(object)).status}`;
}

export function gitops(world: () => World): void {
  it('works under a loop that applies the rendered chart every ten seconds, without Leases, and gives it nothing to change', async (t) => {
    const { system, pay, kubernetes, current } = world();
    await world().writeSecret(name, current.files);
    const list = await renderAll(t, world());
    const as = ['--server-side', '--force-conflicts', '--field-manager=argocd-controller', '-f', '-'];
    const apply = async (): Promise<string[]> => {
      const said = await execute('kubectl', ['apply', ...as, '-o', 'json'], list);
      const { items } = JSON.parse(said) as { items: (Manifest & { metadata: { generation?: number } })[] };
      return items.map(({ kind, metadata }) => `${kind}/${metadata.name} ${metadata.generation ?? ''}`);
    };
    const becomes = (wanted: string) =>
      eventually(`the resource is ${wanted}`, 20, async () => (await seen(world())) === wanted);

    await apply();
    await kubectl('rollout', 'status', 'deployment/argo-paycert', '-n', system, '--timeout=90s');
    const lease = `/apis/coordination.k8s.io/v1/namespaces/${system}/leases/argo-paycert`;
    const leader = await eventually('one of them leads', 30, async () => {
      const { holderIdentity } = (await kubernetes.json('GET', lease))['spec'] as { holderIdentity?: string };
      return holderIdentity;
    });
    // The operator writes it once, into fields that are its own.
    await eventually('the webhooks have their authority', 30, async () => {
      const said = await kubectl('get', 'validatingwebhookconfigurations,mutatingwebhookconfigurations', '-l', 'app.kubernetes.io/instance=argo', '-o', 'jsonpath={range .items[*].webhooks[*]}{.clientConfig.caBundle}{"\\n"}{end}'); // prettier-ignore
      const authorities = said.split('\n').slice(0, -1);
      return authorities.length > 1 && authorities.every((authority) => authority !== '');
    });
    const first = await apply();
    const secret = `/api/v1/namespaces/${pay}/secrets/${name}`;
    /** What happens in which round, and what it makes of the resource. */
    const story: Readonly<Record<number, () => Promise<unknown>>> = {
      1: () => becomes('Current Healthy'),
      2: () => rotate(t, world(), { api: 2 }),
      [isWhole ? 6 : 3]: async () => {
        await world().writeSecret(name, await withMismatchedPair(current));
        await becomes('Failed Degraded');
      },
      [isWhole ? 12 : 4]: async () => {
        await kubernetes.json('DELETE', secret);
        await becomes('InProgress Progressing');
      },
      [isWhole ? 18 : 5]: async () => {
        await world().writeSecret(name, current.files);
        await becomes('Current Healthy');
      },
    };
    for (let round = 1; round <= rounds; round += 1) {
      await sleep(seconds * 1000);
      // It fails where what is there differs from what is rendered.
      await execute('kubectl', ['diff', ...as], list);
      assert.deepEqual(await apply(), first, `round ${round} has changed something`);
      await story[round]?.();
    }
    assert.equal(await seen(world()), 'Current Healthy');
    await statusFollows(world(), 20);
    const pods = await kubectl('get', 'pods', '-n', system, '-l', 'app.kubernetes.io/instance=argo', '-o', 'jsonpath={.items[*].status.containerStatuses[*].restartCount}'); // prettier-ignore
    assert.equal(pods, '0 0');
    const { holderIdentity } = (await kubernetes.json('GET', lease))['spec'] as { holderIdentity: string };
    assert.equal(holderIdentity, leader);
    await signOn(world());
  });
}
