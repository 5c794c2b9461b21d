// Restarts, several replicas, and permissions that come and go: what is written, by whom, and how often.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { FakeClock, passUntil } from '../support/fake-clock.ts';
import {
  installDefinition,
  leastRules,
  makeAccount,
  rule,
  secretRules,
  startOperator,
  Tenant,
  until,
  wechatpaySpec,
} from '../support/operator.ts';
import { call, makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

async function makeReady(tenant: Tenant, count = 1): Promise<string[]> {
  await tenant.write('keys', (await makeMaterial()).files);
  const names = Array.from({ length: count }, (_, index) => `wechat-${String(index)}`);
  for (const name of names) await tenant.create(name, wechatpaySpec('keys'));
  return names;
}

/** Resolves when everything has been looked at, and nothing is left to do. */
async function settled(operator: Awaited<ReturnType<typeof startOperator>>, objects: readonly string[]): Promise<void> {
  const seen = () => new Set(operator.recorder.of('reconciled').map(({ object }) => object));
  await until(() => objects.every((object) => seen().has(object)), 'all looked at');
}

describe('a restart', () => {
  it('writes nothing and repeats no Event when nothing has changed', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const names = await makeReady(tenant, 20);
    const only = { namespaces: [tenant.namespace] };
    const first = await startOperator(t, controlPlane(), only);
    for (const name of names) await tenant.condition(name, 'Ready', 'True Ready');
    await until(async () => (await tenant.events()).length >= names.length, 'every Event');
    await first.stop();
    const versions = await Promise.all(names.map((name) => tenant.version(name)));
    const events = await tenant.events();
    assert.deepEqual(events.sort(), names.map((name) => `Normal Accepted PaymentCredential/${name}`).sort());

    const second = await startOperator(t, controlPlane(), only);
    await settled(second, names.map((name) => `${tenant.namespace}/${name}`)); // prettier-ignore
    assert.deepEqual(await Promise.all(names.map((name) => tenant.version(name))), versions);
    assert.deepEqual(second.recorder.of('reconciled').filter(({ outcome }) => outcome !== 'unchanged'), []); // prettier-ignore
    assert.equal((await tenant.events()).length, events.length);
  });

  it('finds what changed while nothing ran', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await makeReady(tenant);
    const only = { namespaces: [tenant.namespace] };
    const first = await startOperator(t, controlPlane(), only);
    const before = await tenant.condition('wechat-0', 'Ready', 'True Ready');
    await first.stop();
    await tenant.write('keys', (await makeMaterial(1)).files);
    await startOperator(t, controlPlane(), only);
    await until(async () => (await tenant.status('wechat-0'))?.accepted?.snapshotId !== before.accepted?.snapshotId);
  });

  it('still refuses an emptied set of platform certificates: what was accepted is in the status', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await makeReady(tenant);
    const only = { namespaces: [tenant.namespace] };
    const first = await startOperator(t, controlPlane(), only);
    await tenant.condition('wechat-0', 'Ready', 'True Ready');
    await first.stop();
    const { files } = await makeMaterial();
    await tenant.write('keys', new Map([...files].filter(([name]) => !name.startsWith('wechatpay_'))));
    await startOperator(t, controlPlane(), only);
    await tenant.condition('wechat-0', 'Valid', 'False PlatformSetEmptied');
  }); // prettier-ignore
});

describe('two replicas', () => {
  it('write once, and the second goes on when the first ends, without an Event twice', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await makeReady(tenant);
    const lease = { namespace: tenant.namespace, name: 'paycert-operator' };
    const start = async (name: string) => {
      const kubeconfig = await controlPlane().kubeconfig('default');
      const environment = { KUBECONFIG: kubeconfig, POD_NAME: name };
      return startOperator(t, controlPlane(), { namespaces: [tenant.namespace], lease, environment });
    };
    const a = await start('a');
    await tenant.condition('wechat-0', 'Ready', 'True Ready');
    const b = await start('b');
    await until(() => b.recorder.of('reconciled').length > 0);
    assert.deepEqual(new Set(b.recorder.of('reconciled').map(({ outcome }) => outcome)), new Set(['unchanged']));
    // Both are warm, and either tells what is stored.
    for (const { address } of [a, b]) {
      assert.equal((await call(address, '/readyz')).status, 200);
      const { content } = await call(address, '/metrics');
      assert.match(content, new RegExp(`paycert_credential_condition\\{credential_namespace="${tenant.namespace}",kind="PaymentCredential",credential="wechat-0",condition="Ready",status="True"\\} 1`)); // prettier-ignore
    }
    const taken = b.recorder.next('leading', ({ isLeading }) => isLeading);
    await a.stop();
    // Nobody leads now: the change must not be lost.
    await tenant.write('keys', new Map());
    await taken;
    await tenant.condition('wechat-0', 'Valid', 'False MaterialMissing');
    const accepted = (await tenant.events()).filter((event) => event.startsWith('Normal Accepted'));
    assert.equal(accepted.length, 1);
  });
});

function hurry(t: TestContext, clock: FakeClock): void {
  const timer = setInterval(() => clock.advance(5000), 20);
  t.after(() => clearInterval(timer));
}

describe('permissions', () => {
  it('that docs/operator.md lists suffice, in one namespace', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await makeReady(tenant);
    const environment = await makeAccount(tenant, [...leastRules, ...secretRules]);
    const operator = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], environment });
    await tenant.condition('wechat-0', 'Ready', 'True Ready');
    await until(async () => (await tenant.events()).length === 1);
    assert.deepEqual(operator.recorder.of('watch-failed'), []);
    assert.deepEqual(operator.recorder.of('event-lost'), []);
  });

  it('for Secrets by name suffice with --secret, and others are said not to be watched', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await makeReady(tenant);
    await tenant.write('others', (await makeMaterial()).files);
    await tenant.create('other', wechatpaySpec('others'));
    const named = { ...secretRules[0], resourceNames: ['keys'] };
    const environment = await makeAccount(tenant, [...leastRules, named]);
    const { namespace } = tenant;
    const operator = await startOperator(t, controlPlane(), { namespaces: [namespace], secrets: [{ namespace, name: 'keys' }], environment }); // prettier-ignore
    await tenant.condition('wechat-0', 'Ready', 'True Ready');
    const { message } = await tenant.condition('other', 'Ready', 'Unknown SecretUnwatched');
    assert.match(message, /"others".*--secret/);
    assert.deepEqual(operator.recorder.of('watch-failed'), []);
    await tenant.write('keys', new Map());
    await tenant.condition('wechat-0', 'Valid', 'False MaterialMissing');
  });

  it('for Secrets that were never granted are missed in one namespace only, and a condition says so', limit, async (t) => {
    const [good, bad] = [await Tenant.make(controlPlane()), await Tenant.make(controlPlane())];
    await makeReady(good);
    await makeReady(bad);
    const environment = await makeAccount(good, [...leastRules, ...secretRules]);
    await bad.plane.grantTo(bad.namespace, 'operator', good.namespace, leastRules);
    const namespaces = [bad.namespace, good.namespace];
    const { address } = await startOperator(t, controlPlane(), { namespaces, environment });
    await good.condition('wechat-0', 'Ready', 'True Ready');
    const { message } = await bad.condition('wechat-0', 'Ready', 'Unknown ClusterForbidden');
    assert.match(message, /^list secrets in namespace .* forbids it/);
    const { status, content } = await call(address, '/readyz');
    assert.equal(status, 503);
    assert.match(content, /list secrets/);
  }); // prettier-ignore

  it('that are withdrawn are said in the log and by /readyz within ten minutes, and used again when they return', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await makeReady(tenant);
    const environment = await makeAccount(tenant, [...leastRules, ...secretRules]);
    const clock = new FakeClock(new Date());
    const operator = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], environment, clock });
    await tenant.condition('wechat-0', 'Ready', 'True Ready');
    // Time passes faster than bookmarks come: a watch may end for its silence first.
    const said = operator.recorder.next('watch-failed', ({ source, reason }) => source.startsWith('secrets') && reason === 'cluster-forbidden'); // prettier-ignore
    await tenant.plane.withdraw(tenant.namespace, 'operator');
    const unready = until(async () => (await call(operator.address, '/readyz')).status === 503, 'readyz');
    // No time passes behind those: an API server that is slow makes it no later.
    await passUntil(Promise.all([said, unready]), clock, 600_000, 50);
    const { error } = await said;
    assert.match(error?.message ?? '', /(list|watch) secrets in namespace .* forbids/);
    await unready;
    hurry(t, clock);
    assert.match((await call(operator.address, '/readyz')).content, /(list|watch) .* forbids/);
    assert.equal((await call(operator.address, '/livez')).status, 200);
    await tenant.write('keys', new Map());
    await tenant.plane.grant(tenant.namespace, 'operator', [...leastRules, ...secretRules]);
    await tenant.condition('wechat-0', 'Valid', 'False MaterialMissing');
    await until(async () => (await call(operator.address, '/readyz')).status === 200, 'readyz');
  }); // prettier-ignore

  it('to read a Secret that is withheld is said in a condition, and the condition goes when it is granted', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await makeReady(tenant);
    const environment = await makeAccount(tenant, [...leastRules, rule('', ['secrets'], 'list', 'watch')]);
    const clock = new FakeClock(new Date());
    await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], environment, clock });
    const { message } = await tenant.condition('wechat-0', 'Ready', 'Unknown ClusterForbidden');
    assert.match(message, /get secrets "keys" in namespace .* forbids it/);
    hurry(t, clock);
    await tenant.plane.withdraw(tenant.namespace, 'operator');
    await tenant.plane.grant(tenant.namespace, 'operator', [...leastRules, ...secretRules]);
    await tenant.condition('wechat-0', 'Ready', 'True Ready');
  }); // prettier-ignore
});
