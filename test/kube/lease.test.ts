// Leader election between candidates on a real API server: one leads, and the next only when it has stopped.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { findAccess } from '../../src/kube/access.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { whileLeading } from '../../src/kube/lease.ts';
import { type Json, noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { Recorder } from '../support/recorder.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane();
const lease = 'paycert-operator';

/** Candidates of one election, whose time passes twenty times as fast. */
async function holdElection(t: TestContext) {
  const plane = controlPlane();
  const namespace = await plane.makeNamespace();
  const clock = new FakeClock();
  const timer = setInterval(() => clock.advance(100), 5);
  t.after(() => clearInterval(timer));
  /** Who leads now, and the most who ever did at once. */
  const leaders = new Set<string>();
  const log: string[] = [];
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;

  const clientOf = async (server?: string) => {
    const kubeconfig = await plane.kubeconfig(namespace, server);
    return new KubeClient(() => findAccess({ KUBECONFIG: kubeconfig }));
  };
  const stand = (identity: string, client: KubeClient, work?: () => Promise<void>) => {
    const recorder = new Recorder();
    const stop = new AbortController();
    const task = async (signal: AbortSignal) => {
      leaders.add(identity);
      log.push(`${identity} begins`);
      assert.ok(leaders.size === 1, `at once: ${[...leaders].join()}`);
      await (work?.() ?? new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())));
      leaders.delete(identity);
      log.push(`${identity} ends`);
    };
    const options = { client: async () => client, namespace, name: lease, identity, clock, random: () => 0.5 };
    const ended = whileLeading(task, { ...options, observe: recorder.observe })(stop.signal);
    t.after(async () => {
      stop.abort();
      await ended.catch(() => undefined);
    });
    const next = (isLeading: boolean) => recorder.next('leading', (event) => event.isLeading === isLeading);
    return { recorder, ended, next, stop: () => stop.abort() };
  };
  const specOf = async (): Promise<Json> => (await plane.admin('GET', `${path}/${lease}`))['spec'] as Json;
  return { plane, namespace, clock, log, path, clientOf, stand, specOf };
}

describe('a Lease', () => {
  it('is created, held by one candidate, and given up to the next when its holder ends', limit, async (t) => {
    const { stand, clientOf, specOf, log } = await holdElection(t);
    const a = stand('a', await clientOf());
    await a.next(true);
    const b = stand('b', await clientOf());
    const held = await specOf();
    assert.deepEqual([held['holderIdentity'], held['leaseDurationSeconds']], ['a', 15]);
    const handover = b.next(true);
    a.stop();
    await Promise.all([a.ended, handover]);
    assert.deepEqual(log, ['a begins', 'a ends', 'b begins']);
    assert.deepEqual([(await specOf())['holderIdentity'], (await specOf())['leaseTransitions']], ['b', 1]);
  });

  it('is renewed for as long as its holder leads', limit, async (t) => {
    const { stand, clientOf, specOf, clock } = await holdElection(t);
    const a = stand('a', await clientOf());
    await a.next(true);
    const before = (await specOf())['renewTime'];
    const end = clock.now().getTime() + 60_000;
    while (clock.now().getTime() < end) await clock.nextSleep();
    assert.notEqual((await specOf())['renewTime'], before);
    assert.deepEqual(a.recorder.of('leading').length, 1);
    assert.deepEqual(a.recorder.of('watch-failed'), []);
  });

  it('passes to another when its holder is cut off, and not before the holder has stopped', limit, async (t) => {
    const { stand, clientOf, log, plane } = await holdElection(t);
    const proxy = await FaultProxy.start(t, plane);
    const a = stand('a', await clientOf(proxy.url));
    await a.next(true);
    const b = stand('b', await clientOf());
    const taken = b.next(true);
    proxy.status = 503;
    await taken;
    assert.deepEqual(log, ['a begins', 'a ends', 'b begins']);
    assert.deepEqual(
      a.recorder.of('watch-failed').map(({ reason }) => reason),
      ['cluster-failing'],
    );
    // The first stands again when it is back, and does not disturb the second.
    proxy.status = undefined;
    const again = a.next(true);
    b.stop();
    await again;
    assert.deepEqual(log.slice(-2), ['b ends', 'a begins']);
  });

  it('is kept when somebody only annotates it', limit, async (t) => {
    const { stand, clientOf, plane, path, specOf, log } = await holdElection(t);
    const a = stand('a', await clientOf());
    await a.next(true);
    for (let i = 0; i < 3; i += 1) {
      const { renewTime } = await specOf();
      const annotations = { note: String(i) };
      await plane.admin('PATCH', `${path}/${lease}`, { metadata: { annotations } }, 'application/merge-patch+json');
      while ((await specOf())['renewTime'] === renewTime) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(log, ['a begins']);
  });

  it('that is taken away stops its holder', limit, async (t) => {
    const { stand, clientOf, plane, path, log } = await holdElection(t);
    const a = stand('a', await clientOf());
    await a.next(true);
    const lost = a.next(false);
    await plane.admin('PATCH', `${path}/${lease}`, { spec: { holderIdentity: 'x' } }, 'application/merge-patch+json');
    await lost;
    assert.deepEqual(log, ['a begins', 'a ends']);
  });

  it('needs no permission but to get and update the one that is there', limit, async (t) => {
    const { stand, plane, namespace, path, specOf } = await holdElection(t);
    const rule = { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [lease], verbs: ['get', 'update'] }; // prettier-ignore
    const files = await plane.makeServiceAccount(namespace, 'operator', [rule]);
    const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(plane.port) };
    const a = stand('a', new KubeClient(() => findAccess(environment, files)));
    // It is not there, and may not be created.
    assert.equal((await a.recorder.next('watch-failed')).reason, 'cluster-forbidden');
    const leading = a.next(true);
    await plane.admin('POST', path, { metadata: { name: lease } });
    await leading;
    assert.equal((await specOf())['holderIdentity'], 'a');
  });

  it('is given up when the task fails, and the failure is told', limit, async (t) => {
    const { stand, clientOf, specOf } = await holdElection(t);
    const a = stand('a', await clientOf(), () => Promise.reject(new TypeError('a bug')));
    await assert.rejects(a.ended, TypeError);
    assert.equal((await specOf())['holderIdentity'], '');
  });
});
