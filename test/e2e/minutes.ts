// What takes a minute each, at the same time: a permission that is withdrawn while all runs, and a bad Secret at the first start of a pod.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withMismatchedPair } from '../../src/testing/index.ts';
import type { Json } from '../support/control-plane.ts';
import { clocks, loops } from './incidents.ts';
import { eventually, kubectl } from './kubernetes.ts';
import { byMount, makeVariant, sidecarManifests, wechat } from './pods.ts';
import { condition, logOf, podsOf, statusFollows } from './questions.ts';
import { tenants } from './tenants.ts';
import { rotate, signOn } from './traffic.ts';
import type { World } from './world.ts';

export function minutes(world: () => World): void {
  describe('within a minute or two', { concurrency: true }, () => {
    it('says that a permission was withdrawn, signs on, and follows again when it is granted', async (t) => {
      const { kubernetes, release, pay, system } = world();
      const api = '/apis/rbac.authorization.k8s.io/v1';
      const roles = [`${api}/clusterroles/${release}-paycert`, `${api}/namespaces/${pay}/roles/shop-wechat-main`];
      const write = (path: string, rules: unknown) =>
        kubernetes.json('PATCH', path, { rules }, 'application/merge-patch+json');
      const before = await Promise.all(roles.map((path) => kubernetes.json('GET', path)));
      const grant = async () => {
        for (const [index, { rules }] of before.entries()) await write(roles[index]!, rules);
      };
      t.after(grant);
      const started = Date.now();
      for (const path of roles) await write(path, []);
      // A watch that stands is not asked again before it is renewed, after minutes. An operator that starts now asks at once.
      const [first = ''] = await podsOf(world(), system);
      await kubectl('delete', 'pod', first, '-n', system, '--wait=false');
      const saysSo = async (pod: string, container: string, namespace: string) =>
        linesSince(await logOf(world(), pod, container, namespace), started).some((line) =>
          line.includes('cluster-forbidden'),
        );
      await eventually('the sidecar says so', 65, () => saysSo('api', 'paycert', pay));
      t.diagnostic(`the sidecar said it after ${String((Date.now() - started) / 1000)} s`);
      await eventually('an operator says so', 65, async () => {
        const operators = (await podsOf(world(), system)).filter((pod) => pod !== first);
        const said = await Promise.all(operators.map((pod) => saysSo(pod, 'operator', system).catch(() => false)));
        return said.includes(true);
      });
      t.diagnostic(`an operator said it after ${String((Date.now() - started) / 1000)} s`);
      await signOn(world());
      await grant();
      await rotate(t, world(), { api: 40 });
      await statusFollows(world(), 40);
      const again = Date.now();
      await world().apply([world().credential('after-rbac')]);
      await condition(world(), 'after-rbac', 'Ready False SecretMissing', 100);
      t.diagnostic(`a new resource was judged after ${String((Date.now() - again) / 1000)} s`);
    }); // prettier-ignore

    it('keeps a pod whose Secret is bad from the start in Init, says why in its status, and starts it when the Secret is good', async (t) => {
      const { pay, image } = world();
      await world().writeSecret('bad-start', await withMismatchedPair(world().current));
      await world().apply(makeVariant(sidecarManifests(image), { name: 'first', credential: wechat(byMount), secret: 'bad-start' })); // prettier-ignore
      const path = `/api/v1/namespaces/${pay}/pods/first`;
      const started = Date.now();
      await eventually('it has given up once', 150, async () => {
        const { status } = (await world().kubernetes.json('GET', path)) as never as FirstPod;
        assert.equal(status.containerStatuses?.[0]?.started ?? false, false, 'the application never starts');
        return status.initContainerStatuses?.[0]?.lastState.terminated;
      });
      // As docs/sidecar.md says.
      const why = `{.status.initContainerStatuses[?(@.name=="paycert")].lastState.terminated.message}`;
      const message = await kubectl('get', 'pod/first', '-n', pay, '-o', `jsonpath=${why}`);
      // Its log and its error come through two pipes, and the runtime merges them in either order.
      const last = message
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('{'))
        .join(' ');
      t.diagnostic(`after ${String((Date.now() - started) / 1000)} s: ${last}`);
      assert.match(last, /apiclient_key\.pem does not belong to apiclient_cert\.pem \(key-mismatch\) hint: Replace/);
      await world().writeSecret('bad-start', world().current.files);
      await kubectl('wait', 'pod/first', '-n', pay, '--for=condition=Ready', '--timeout=120s');
      await kubectl('delete', 'pod/first', '-n', pay, '--wait=false');
    });

    loops(world);
  });

  clocks(world);
  tenants(world);
}

interface FirstPod extends Json {
  readonly status: {
    readonly initContainerStatuses?: readonly [{ readonly lastState: { readonly terminated?: object } }];
    readonly containerStatuses?: readonly [{ readonly started?: boolean }];
  };
}

const linesSince = (log: string, since: number): string[] =>
  log
    .split('\n')
    .filter((line) => line.startsWith('{') && Date.parse((JSON.parse(line) as { time: string }).time) >= since);
