// Pods that ask for a sidecar and have none: counted, told to who owns them, and recreated one at a time where that helps.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../../src/clock.ts';
import { connect } from '../../../src/kube/client.ts';
import { InjectedPods } from '../../../src/operator/injection/injected-pods.ts';
import { InjectionRounds } from '../../../src/operator/injection/rounds.ts';
import { Leadership } from '../../../src/operator/leadership.ts';
import { type Json, noControlPlane, useControlPlane } from '../../support/control-plane.ts';
import { asking, podsPath, shop, startInjecting, type Stored } from '../../support/injection.ts';
import { installDefinition, leastRules, makeAccount, rule, until } from '../../support/operator.ts';
import { Recorder } from '../../support/recorder.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

/** What docs/injection.md says that it needs. */
const rules = [
  ...leastRules,
  rule('', ['pods'], 'list', 'watch', 'create'),
  rule('apps', ['replicasets', 'statefulsets', 'daemonsets'], 'get'),
  rule('', ['pods/eviction'], 'create'),
];

/** A replica that leads: it watches Pods, and makes a round when it is told to. */
async function startRounds(t: TestContext, namespace: string, environment: { readonly KUBECONFIG: string }) {
  const stop = new AbortController();
  const [recorder, leadership] = [new Recorder(), new Leadership()];
  const common = { client: async () => connect(environment), clock: systemClock, observe: recorder.observe };
  const pods = new InjectedPods({ ...common, random: Math.random, namespaces: [namespace] });
  const events = { tell: () => Promise.resolve() };
  const activations = { write: () => Promise.resolve() };
  const rounds = new InjectionRounds({ ...common, pods, events, activations, leadership, recreatesMissing: true });
  const running = [pods.run(stop.signal), leadership.lead(() => undefined, stop.signal)];
  t.after(async () => {
    stop.abort();
    await Promise.all(running);
  });
  await until(() => pods.isSynced, 'Pods are listed');
  return { pods, rounds, recorder };
}

/** A Deployment, its ReplicaSet of two, and who plays the part of their controller. */
async function setUp(t: TestContext) {
  const injecting = await startInjecting(t, controlPlane());
  const { plane, namespace, create, tenant } = injecting;
  const apps = `/apis/apps/v1/namespaces/${namespace}`;
  const labels = { app: 'shop', ...asking };
  const template = { metadata: { labels }, spec: { containers: [shop] } };
  const make = async (kind: string, owner?: Json, replicas = 2): Promise<Json> => {
    const spec = { replicas, selector: { matchLabels: { app: 'shop' } }, template };
    const metadata = { name: 'shop', ...(owner && { ownerReferences: [owner] }) };
    const stored = (await plane.admin('POST', `${apps}/${kind.toLowerCase()}s`, { metadata, spec })) as Stored;
    return { apiVersion: 'apps/v1', kind, name: 'shop', uid: stored.metadata.uid, controller: true };
  };
  const replicaSet = await make('ReplicaSet', await make('Deployment'));
  const pod = async (owner?: Json, spec: Json = {}): Promise<string> => {
    const { status, object } = await create({ labels, spec, metadata: owner ? { ownerReferences: [owner] } : {} });
    assert.equal(status, 201, String(object['message']));
    return (object as Stored).metadata.name;
  };
  const run = async (name: string, isReady = true): Promise<void> => {
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] };
    await plane.admin('PATCH', `${podsPath(namespace, name)}/status`, { status }, 'application/merge-patch+json');
  };

  const { pods, rounds, recorder } = await startRounds(t, namespace, await makeAccount(tenant, rules));
  const names = () => pods.list().map(({ name }) => name).sort(); // prettier-ignore
  /** One round, on what the watch has seen. */
  const round = async (...seen: readonly string[]) => {
    await until(() => names().join() === [...seen].sort().join(), 'the watch has seen it');
    const before = recorder.of('pod-recreated').length;
    await rounds.round(t.signal);
    return recorder.of('pod-recreated').slice(before);
  };
  const isReady = (name: string) => until(() => pods.list().some((one) => one.name === name && one.isReady), `${name} is ready`); // prettier-ignore
  return { ...injecting, make, replicaSet, pod, run, round, isReady };
}

describe('Pods without their sidecar', () => {
  it('are counted, and told to the Deployment with those that have one', limit, async (t) => {
    const { plane, namespace, pod, replicaSet, install, tenant, address } = await setUp(t);
    await pod(replicaSet);
    const alone = await pod();
    await install();
    await pod(replicaSet);
    const other = await pod(undefined, { hostNetwork: true });
    const scrape = async () => (await fetch(`http://${address}/metrics`)).text();
    await until(async () => /paycert_injection_pods\{state="missing"\} 2\n/.test(await scrape()), 'two are missing');
    await until(async () => /paycert_injection_pods\{state="skipped"\} 1\n/.test(await scrape()), 'one is skipped');
    assert.match(await scrape(), /paycert_injection_pods\{state="injected"\} 1\n/);
    const own = await pod(undefined, {
      initContainers: [{ name: 'paycert', image: 'by-hand', restartPolicy: 'Always' }],
    });
    const wanted = ['Normal Injected Deployment/shop', 'Warning InjectionSkipped Deployment/shop', `Warning InjectionSkipped Pod/${alone}`, `Warning InjectionSkipped Pod/${other}`, `Warning InjectionSkipped Pod/${own}`]; // prettier-ignore
    await until(async () => {
      const events = await tenant.events();
      return wanted.every((one) => events.includes(one));
    }, wanted.join());
    const { items } = await plane.admin('GET', `/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
    const notes = (items as readonly { readonly note: string }[]).map(({ note }) => note).join('\n');
    assert.match(notes, /paycert\.dev\/inject: wechat-main has the sidecar paycert:0\.1\.0/);
    assert.match(notes, /has no sidecar\. WebhookMissed: /);
    assert.match(notes, /has no sidecar\. HostNetwork: /);
    assert.match(notes, /got nothing\. OwnContainer: /);
    assert.doesNotMatch(notes, /by-hand/, 'it was not injected');
  });

  it('are evicted one at a time, the next when the one that replaces it is ready', limit, async (t) => {
    const { pod, run, replicaSet, install, round, isReady } = await setUp(t);
    const [first, second] = [await pod(replicaSet), await pod(replicaSet)];
    await Promise.all([run(first), run(second, false)]);
    await install();
    await isReady(first);
    const [evicted] = await round(first, second);
    assert.deepEqual([evicted?.outcome, evicted?.kind], ['evicted', 'ReplicaSet']);
    // What cannot sign went first; nobody has made another yet.
    assert.deepEqual(await round(first), []);
    const third = await pod(replicaSet);
    await run(third, false);
    assert.deepEqual(await round(first, third), []);
    await run(third);
    await isReady(third);
    assert.equal((await round(first, third))[0]?.outcome, 'evicted');
    const fourth = await pod(replicaSet);
    await run(fourth);
    await isReady(fourth);
    assert.deepEqual(await round(third, fourth), []);
  });

  it('stay while another would not get one either, where a budget forbids it, and where nobody makes another', limit, async (t) => {
    const { plane, namespace, pod, run, make, replicaSet, install, round, isReady } = await setUp(t);
    const job = { apiVersion: 'batch/v1', kind: 'Job', name: 'settle', uid: '1', controller: true };
    const small = await make('StatefulSet', undefined, 1);
    const all = [await pod(replicaSet), await pod(replicaSet), await pod(job), await pod(), await pod(small)];
    for (const name of all) await run(name);
    for (const name of all) await isReady(name);
    const policy = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`;
    const budget = { metadata: { name: 'all' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'shop' } } } };
    const stored = (await plane.admin('POST', policy, budget)) as { metadata: Json };
    const status = { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 5, desiredHealthy: 5, expectedPods: 5 };
    await plane.admin('PUT', `${policy}/all/status`, { ...stored, status });
    const away = await round(...all);
    assert.deepEqual(away.map(({ outcome, kind }) => `${kind} ${outcome}`).sort(), ['ReplicaSet not-injected', 'StatefulSet not-injected']);
    // It is not tried again at once.
    assert.deepEqual(await round(...all), []);
    await install();
    // A leader that follows does not wait.
    const { rounds, recorder } = await startRounds(t, namespace, { KUBECONFIG: await plane.kubeconfig(namespace) });
    await rounds.round(t.signal);
    assert.deepEqual(recorder.of('pod-recreated').map(({ outcome, error }) => [outcome, error?.code]), [['failed', 'cluster-failing'], ['failed', 'cluster-failing']]);
    const { items } = await plane.admin('GET', podsPath(namespace));
    assert.equal((items as readonly unknown[]).length, all.length);
  }); // prettier-ignore
});
