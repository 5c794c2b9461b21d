// The view of a fleet on a real API server with real admin ports: what every Pod has is a fact, and a Pod that does not answer has nothing.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../../src/clock.ts';
import { withExpiredCertificate } from '../../../src/testing/spoiled-material.ts';
import { noControlPlane, useControlPlane } from '../../support/control-plane.ts';
import { FakeClock, passUntil } from '../../support/fake-clock.ts';
import { anyAddress, hastyClock, makePod, startAdminPort } from '../../support/fleet.ts';
import { installDefinition, leastRules, makeAccount, rule, secretRules, startOperator, Tenant, until, wechatpaySpec } from '../../support/operator.ts'; // prettier-ignore
import { call, makeMaterial } from '../../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
const name = 'wechat-main';

const podRules = [rule('', ['pods'], 'list', 'watch')];

async function start(t: TestContext, overrides: object = {}, more = podRules) {
  const tenant = await Tenant.make(controlPlane());
  const [before, after] = [(await makeMaterial()).files, (await makeMaterial(1)).files];
  await tenant.write('keys', before);
  const environment = await makeAccount(tenant, [...leastRules, ...secretRules, ...more]);
  const run = () =>
    startOperator(t, controlPlane(), {
      ...{ namespaces: [tenant.namespace], clock: hastyClock(20), asksFleet: true, mayBeAsked: anyAddress },
      environment,
      ...overrides,
    });
  const create = () => tenant.create(name, wechatpaySpec('keys'));
  const rolledOut = (wanted: string) => tenant.condition(name, 'RolledOut', wanted);
  return { tenant, before, after, run, create, rolledOut };
}

const counted = (more: object) => ({ current: 0, old: 0, deferred: 0, rejected: 0, unknown: 0, ...more });
function countsOf({ fleet }: { readonly fleet?: object | undefined }) {
  const { current, old, deferred, rejected, unknown } = (fleet ?? {}) as Record<string, number>;
  return { current, old, deferred, rejected, unknown };
}

describe('RolledOut', () => {
  it('is True once every Pod has what is stored, False while one has not, and True again with an Event', limit, async (t) => {
    const { tenant, before, after, run, create, rolledOut } = await start(t);
    const [a, b] = [await startAdminPort(t, { [name]: before }), await startAdminPort(t, { [name]: before })];
    await makePod(tenant, 'a', a);
    await makePod(tenant, 'b', b);
    const { address } = await run();
    await create();
    const first = await rolledOut('True RolledOut');
    assert.deepEqual(countsOf(first), counted({ current: 2 }));
    assert.match(first.message, /^Snapshot [0-9a-f]{16} is in all Pods that run \(2\), since 20/);

    await tenant.write('keys', after);
    await a.load(name, after);
    await until(async () => (await tenant.status(name))?.fleet?.current === 1, 'one has it');
    const between = await rolledOut('False InProgress');
    assert.deepEqual(countsOf(between), counted({ current: 1, old: 1 }));
    assert.equal(between.fleet?.oldestKeyId, first.keyId);
    assert.match(between.message, /Pods with snapshot [0-9a-f]{16}: 1 of 2\. Others: 1 old\. Longest in use: key /);
    const metrics = (await call(address, '/metrics')).content;
    assert.match(metrics, /paycert_fleet_pods\{[^}]*credential="wechat-main",state="old"\} 1/);

    await b.load(name, after);
    const last = await rolledOut('True RolledOut');
    assert.equal(last.fleet?.snapshotId, last.accepted?.snapshotId);
    assert.equal(last.fleet?.oldestKeyId, undefined);
    await until(async () => (await tenant.events()).filter((one) => one === `Normal RolledOut PaymentCredential/${name}`).length === 2); // prettier-ignore
  }); // prettier-ignore

  it('is Unknown while a Pod does not answer, however long it had what is stored', limit, async (t) => {
    const { tenant, before, run, create, rolledOut } = await start(t);
    const [a, b] = [await startAdminPort(t, { [name]: before }), await startAdminPort(t, { [name]: before })];
    await makePod(tenant, 'a', a);
    await makePod(tenant, 'b', b);
    await run();
    await create();
    await rolledOut('True RolledOut');
    await b.close();
    const { message, ...status } = await rolledOut('Unknown PodsUnknown');
    assert.deepEqual(countsOf(status), counted({ current: 1, unknown: 1 }));
    assert.match(message, /Others: 1 unknown\. Unknown ones do not answer/);
  });

  it('is Unknown without Pods, and while Pods may not be listed', limit, async (t) => {
    const { tenant, run, create, rolledOut } = await start(t);
    await run();
    await create();
    await rolledOut('Unknown NoPods');
    const other = await start(t, {}, []);
    await other.run();
    await other.create();
    const { message } = await other.rolledOut('Unknown ClusterForbidden');
    assert.match(message, /list pods in namespace/);
    assert.equal((await tenant.status(name))?.conditions.find(({ type }) => type === 'Ready')?.status, 'True');
  });

  it('counts a Pod that rejects what is stored, and one that lists the credential and does not have it', limit, async (t) => {
    const { tenant, before, run, create, rolledOut } = await start(t);
    const [a, b] = [await startAdminPort(t, { [name]: before }), await startAdminPort(t, { other: before })];
    await makePod(tenant, 'a', a);
    await run();
    await create();
    await rolledOut('True RolledOut');
    await tenant.write('keys', (await makeMaterial(1)).files);
    await a.load(name, await withExpiredCertificate(await makeMaterial(1), { now: new Date() }));
    assert.deepEqual(countsOf(await rolledOut('False PodsReject')), counted({ rejected: 1 }));
    await makePod(tenant, 'b', { ...b, credentials: `other, ${name}` });
    await until(async () => (await tenant.status(name))?.fleet?.unknown === 1, 'it counts');
  }); // prettier-ignore

  it('is nothing that a Pod of another namespace can change', limit, async (t) => {
    const { tenant, before, after, run, create, rolledOut } = await start(t, { namespaces: [] , environment: { KUBECONFIG: await controlPlane().kubeconfig('default') } }); // prettier-ignore
    const stranger = await Tenant.make(controlPlane());
    const follows = { name, namespace: tenant.namespace };
    const theirs = await startAdminPort(t, { [name]: after, mine: after });
    theirs.store.update('mine', (entry) => ({ ...entry, follows }));
    await makePod(stranger, 'theirs', { ...theirs, credentials: `${name},${tenant.namespace}/${name}` });
    const a = await startAdminPort(t, { [name]: before });
    await makePod(tenant, 'a', a);
    await run();
    await create();
    assert.deepEqual(countsOf(await rolledOut('True RolledOut')), counted({ current: 1 }));
    await stranger.write('keys', after);
    await stranger.create(name, wechatpaySpec('keys'));
    assert.deepEqual(countsOf(await stranger.condition(name, 'RolledOut', 'True RolledOut')), counted({ current: 1 }));
    assert.deepEqual(countsOf((await tenant.status(name))!), counted({ current: 1 }));
  });

  it('counts a Pod for a PaymentCredential that is made after the Pod was asked', limit, async (t) => {
    // At rest it would be asked again in four minutes.
    const { tenant, before, run, create } = await start(t, { clock: systemClock });
    await makePod(tenant, 'a', await startAdminPort(t, { [name]: before, later: before }));
    await makePod(tenant, 'b', await startAdminPort(t, { later: before }));
    const { recorder } = await run();
    const asked = recorder.next('fleet-asked');
    await create();
    await asked;
    await tenant.create('later', wechatpaySpec('keys'));
    const { fleet } = await tenant.condition('later', 'RolledOut', 'True RolledOut');
    assert.deepEqual(countsOf({ fleet }), counted({ current: 2 }));
  });

  it('takes one question to a Pod for all PaymentCredentials that are there when an operator begins', limit, async (t) => {
    // One after the other, and a Pod that does not say which of them it uses.
    const { tenant, before, run } = await start(t, { clock: systemClock, concurrency: 1 });
    const names = Array.from({ length: 12 }, (_, index) => `wechat-${index}`);
    await makePod(tenant, 'a', await startAdminPort(t, Object.fromEntries(names.map((one) => [one, before]))));
    for (const one of names) await tenant.create(one, wechatpaySpec('keys'));
    const { recorder } = await run();
    for (const one of names) assert.deepEqual(countsOf(await tenant.condition(one, 'RolledOut', 'True RolledOut')), counted({ current: 1 }));
    const asked = recorder.of('fleet-asked').map(({ answered, unanswered }) => [answered, unanswered]);
    assert.deepEqual(asked, [[1, 0]]);
  }); // prettier-ignore

  it('stays what it was while another operator takes over, and is not written again', limit, async (t) => {
    const { tenant, before, run, create, rolledOut } = await start(t);
    await makePod(tenant, 'a', await startAdminPort(t, { [name]: before }));
    const first = await run();
    await create();
    await rolledOut('True RolledOut');
    await first.stop();
    const version = await tenant.version(name);
    const { recorder } = await run();
    await recorder.next('fleet-asked', ({ answered }) => answered === 1);
    await recorder.next('reconciled');
    assert.equal(await tenant.version(name), version);
  });

  it('is absent without --fleet', limit, async (t) => {
    const { tenant, run, create } = await start(t, { asksFleet: false });
    await run();
    await create();
    const { conditions, fleet } = await tenant.condition(name, 'Ready', 'True Ready');
    assert.ok(!conditions.some(({ type }) => type === 'RolledOut'));
    assert.equal(fleet, undefined);
  });

  it('does not wait for a rest to end when a share of requests tries a next set: a refusal is known within ninety seconds', limit, async (t) => {
    const clock = new FakeClock(new Date());
    const { tenant, before, after, run, create, rolledOut: rolledOutThen } = await start(t, { clock });
    const passing = async <T>(done: Promise<T>, most?: number): Promise<T> => (await passUntil(done, clock, most), done);
    const rolledOut = (wanted: string) => passing(rolledOutThen(wanted));
    await tenant.write('next', after);
    const a = await startAdminPort(t, { [name]: before });
    await makePod(tenant, 'a', a);
    await run();
    await create();
    await rolledOut('True RolledOut');

    const staged = { current: { secret: { name: 'keys' } }, next: { secret: { name: 'next' } } };
    const trial = { source: { secret: null, staged: { ...staged, activate: { percent: 5, of: 'requests' } } } };
    await tenant.patch(name, trial);
    await rolledOut('False InSomeRequests');
    const { snapshotId } = (await tenant.status(name))?.staged ?? {};
    a.store.update(name, (entry) => ({ ...entry, staged: { isActive: false, isRejected: true, percent: 5, of: 'requests', snapshotId: snapshotId! } })); // prettier-ignore
    // No time passes behind those: a machine that is busy makes it no later.
    await passing(tenant.condition(name, 'CanaryRejected', 'True SignaturesRefused'), 90_000);
    // It signs nowhere then: what the Pods have is everywhere again, though the spec stays as its owner wrote it.
    await rolledOut('True RolledOut');
    assert.equal((await passing(tenant.condition(name, 'Staged', 'True Waiting'))).staged?.percent, 0);
  }); // prettier-ignore
});
