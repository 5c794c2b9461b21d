// Two operators that know nothing of each other, on one API server: each resource is looked at by one of them.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, startOperator, Tenant, until, wechatpaySpec } from '../support/operator.ts';
import { makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
const label = 'paycert.dev/operator-class';

async function setUp(t: TestContext) {
  const tenant = await Tenant.make(controlPlane());
  await tenant.write('keys', (await makeMaterial()).files);
  const namespaces = [tenant.namespace];
  const plain = await startOperator(t, controlPlane(), { namespaces });
  // As a release on trial may: with it, none of these Secrets would do.
  const trial = await startOperator(t, controlPlane(), { namespaces, operatorClass: 'trial', secretOptIn: true });
  const setClass = (name: string, value: string | null) =>
    controlPlane().admin(
      'PATCH',
      `/apis/paycert.dev/v1alpha1/namespaces/${tenant.namespace}/paymentcredentials/${name}`,
      { metadata: { labels: { [label]: value } } },
      'application/merge-patch+json',
    );
  return { tenant, plain, trial, setClass };
}

describe('two operators of different classes', () => {
  it(
    'look at a resource of their class each, and write neither a status nor an Event of the other',
    limit,
    async (t) => {
      const { tenant, plain, trial, setClass } = await setUp(t);
      await tenant.create('ours', wechatpaySpec('keys'));
      await tenant.condition('ours', 'Ready', 'True Ready');
      await tenant.create('tried', wechatpaySpec('keys'));
      await tenant.condition('tried', 'Ready', 'True Ready');
      await setClass('tried', 'trial');
      await tenant.condition('tried', 'Ready', 'Unknown SecretNotOptedIn');
      // Both hear of the Secret.
      await tenant.write('keys', new Map());
      await tenant.condition('ours', 'Valid', 'False MaterialMissing');
      const objects = (running: typeof plain) =>
        new Set(
          running.recorder.of('reconciled').flatMap(({ object, outcome }) => (outcome === 'written' ? [object] : [])),
        );
      assert.ok(objects(plain).has(`${tenant.namespace}/ours`));
      assert.deepEqual([...objects(trial)], [`${tenant.namespace}/tried`]);
      const { conditions } = (await tenant.status('tried'))!;
      assert.equal(conditions.find(({ type }) => type === 'Ready')?.reason, 'SecretNotOptedIn');
      const rejected = (await tenant.events()).filter((event) => event.includes('MaterialMissing'));
      assert.deepEqual(rejected, ['Warning MaterialMissing PaymentCredential/ours']);
    },
  );

  it(
    'hand a resource over with its class: what was accepted stays, and the next continues from there',
    limit,
    async (t) => {
      const { tenant, setClass } = await setUp(t);
      await tenant.create('moving', wechatpaySpec('keys'));
      const before = await tenant.condition('moving', 'Ready', 'True Ready');
      await setClass('moving', 'trial');
      const tried = await tenant.condition('moving', 'Ready', 'Unknown SecretNotOptedIn');
      assert.deepEqual(tried.accepted, before.accepted);
      await setClass('moving', null);
      const after = await tenant.condition('moving', 'Ready', 'True Ready');
      assert.deepEqual(after.accepted, before.accepted);
    },
  );

  it('divide labelled Secrets in the same way', limit, async (t) => {
    const { tenant, plain, trial } = await setUp(t);
    const objects = (running: typeof plain) => new Set(running.recorder.of('reconciled').map(({ object }) => object));
    const annotations = { 'paycert.dev/option.merchantId': '1900000001' };
    const provider = { 'paycert.dev/provider': 'wechatpay' };
    const { files } = await makeMaterial();
    for (const [name, labels] of [
      ['plain', provider],
      ['tried', { ...provider, [label]: 'trial' }],
      ['nobodys', { ...provider, [label]: 'gone' }],
    ] as const) {
      await tenant.write(name, files, { annotations });
      await tenant.write(name, files, { labels, annotations });
    }
    await tenant.create('last', wechatpaySpec('keys'));
    await until(() => objects(trial).size === 1 && objects(plain).size === 2);
    const within = (names: readonly string[]) => names.map((name) => `${tenant.namespace}/${name}`);
    assert.deepEqual([...objects(trial)], within(['tried']));
    assert.deepEqual([...objects(plain)].sort(), within(['last', 'plain']));
  });
});
