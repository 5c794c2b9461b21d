// The story ends: the chart's own test, an upgrade, a rollout, and what is left after everything is removed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { chart, lacks } from '../chart/helm.ts';
import { eventually, execute, kubectl } from './kubernetes.ts';
import { eventsOf, podsOf } from './questions.ts';
import { countsOf, signOn } from './traffic.ts';
import type { World } from './world.ts';

const credentials = '/apis/paycert.dev/v1alpha1';

interface Report {
  readonly signed: number;
  readonly failed: number;
  readonly retries: number;
}

/** The last of each application, by the prefix of its lines. */
const reportsIn = (log: string): ReadonlyMap<string, Report> =>
  new Map(
    log
      .trim()
      .split('\n')
      .map((line) => line.split('] ') as [string, string])
      .map(([pod, report]) => [pod, JSON.parse(report) as Report]),
  );

export function leave(world: () => World): void {
  it('passes its own test, which signs', async () => {
    const said = await execute('helm', ['test', world().release, '-n', world().system, '--timeout', '2m']);
    assert.match(said, /Phase: +Succeeded/);
  });

  it('is upgraded without a word: no failure, no status and no Event written anew', async () => {
    const { kubernetes, pay, system, release } = world();
    const written = async () => {
      const { items } = await kubernetes.json('GET', `${credentials}/namespaces/${pay}/paymentcredentials`);
      const versions = (items as { metadata: { resourceVersion: string } }[]).map(({ metadata }) => metadata.resourceVersion); // prettier-ignore
      return { versions, events: (await eventsOf(world(), 'wechat-main')).size };
    };
    const before = await written();
    await world().helm('upgrade', '--set', 'refreshPods=true,logLevel=debug');
    await kubectl('rollout', 'status', `deployment/${release}-paycert`, '-n', system, '--timeout=60s');
    await signOn(world());
    assert.deepEqual(await written(), before);
  });

  it('works with Helm 3 as well, beside another release, in a namespace alone', { skip: lacks('helm3') }, async () => {
    const { system, imageValues } = world();
    const only = ['--set', 'rbac.scope=namespaces,crds.enabled=false,replicas=1'];
    await execute('helm3', ['install', 'three', chart, '-n', system, '--wait', '--timeout', '2m', ...imageValues, ...only]); // prettier-ignore
    assert.match(await execute('helm3', ['test', 'three', '-n', system, '--timeout', '2m']), /Phase: +Succeeded/);
    await execute('helm3', ['upgrade', 'three', chart, '-n', system, '--wait', '--timeout', '2m', ...imageValues, ...only, '--set', 'replicas=2']); // prettier-ignore
    await execute('helm3', ['uninstall', 'three', '-n', system, '--wait']);
  });

  it('lets an application finish before its sidecar ends, when its Deployment is rolled out again', async () => {
    const { pay } = world();
    const logs = ['logs', '-n', pay, '-l', 'app=shop', '-c', 'shop', '--prefix'];
    // One of them has had its sidecar killed, and asked again then.
    const before = reportsIn(await kubectl(...logs, '--tail=1'));
    const following = spawn('kubectl', [...logs, '-f']);
    const said = text(following.stdout);
    await once(following.stdout, 'readable');
    await kubectl('rollout', 'restart', 'deployment/shop', '-n', pay);
    await kubectl('rollout', 'status', 'deployment/shop', '-n', pay, '--timeout=90s');
    const last = reportsIn(await said);
    assert.equal(last.size, 2);
    for (const [pod, { signed, failed, retries }] of last) {
      assert.ok(signed > 0);
      assert.deepEqual({ failed, retries }, { failed: 0, retries: before.get(pod)?.retries });
    }
  });

  it('has told nobody a secret: no log, Event or status holds one', async () => {
    const { kubernetes, pay, system } = world();
    // Pods of the upgrade and of the rollout may still be ending; the log of one that is gone cannot be read.
    await eventually('no pod is ending', 60, async () => {
      const lists = await Promise.all(
        [pay, system].map((name) => kubernetes.json('GET', `/api/v1/namespaces/${name}/pods`)),
      );
      const pods = lists.flatMap(({ items }) => items as { metadata: { deletionTimestamp?: string } }[]);
      return pods.every(({ metadata }) => metadata.deletionTimestamp === undefined);
    });
    const told: string[] = [];
    for (const namespace of [pay, system]) {
      for (const pod of await podsOf(world(), namespace))
        told.push(await kubectl('logs', pod, '-n', namespace, '--all-containers'));
      told.push(await kubectl('get', 'events,paymentcredentials,leases', '-n', namespace, '-o', 'json'));
    }
    assert.match(told.join(), /"event":"swapped"/);
    for (const secret of world().materials.secrets()) assert.ok(!told.join().includes(secret), 'a secret was told');
  });

  it('uninstalls, and leaves nothing but the definition and the Lease; payment pods do not notice', async () => {
    const { release, system } = world();
    await execute('helm', ['uninstall', release, '-n', system, '--wait']);
    const kinds = (await kubectl('api-resources', '--verbs=list', '-o', 'name')).trim().split('\n').join();
    let left = '';
    await eventually('only the definition is left', 60, async () => {
      left = await kubectl('get', kinds, '-A', '-l', `app.kubernetes.io/instance=${release}`, '-o', 'name');
      return left.trim() === 'customresourcedefinition.apiextensions.k8s.io/paymentcredentials.paycert.dev';
    }).catch(() => assert.fail(`still there:\n${left}`));
    // What kubelet and controllers tell of it, such as Events, goes by itself; a pod that ends is still there for a moment.
    const kept = 'leases,configmaps,secrets,serviceaccounts,roles,rolebindings,pods,services';
    let others: readonly string[] = [];
    await eventually('nothing else is left', 60, async () => {
      const named = (await kubectl('get', kept, '-n', system, '-o', 'name')).trim().split('\n');
      // A Lease is its operator's own, and no part of a release.
      others = named.filter((name) => !/^lease\.coordination\.k8s\.io\/.*-paycert$/.test(name)).sort();
      return isDeepStrictEqual(others, ['configmap/kube-root-ca.crt', 'serviceaccount/default']);
    }).catch(() => assert.fail(`still there:\n${others.join('\n')}`));
    await signOn(world());
  });

  it('has failed no caller from beginning to end, and none but the killed sidecars had to be asked again', async (t) => {
    const { untouched, ...killed } = await countsOf(world());
    assert.equal(untouched.retries, 0);
    const signed = [...Object.values(killed), untouched].map((count) => count.signed);
    const again = Object.values(killed).map(({ retries }) => retries);
    t.diagnostic(`signed and verified: ${signed.join(' + ')}; asked again: ${again.join(' + ')}; failed: 0`);
    await signOn(world());
  });
}
