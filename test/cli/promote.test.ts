// paycert promote and rollback against a real API server: the activation changes, with the rights that docs/staged.md names, and nothing else does.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { withMismatchedPair } from '../../src/testing/spoiled-material.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, makeAccount, rule, startOperator, Tenant, wechatpaySpec } from '../support/operator.ts';
import { paycert } from '../support/paycert.ts';
import { keyPairs, makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
const source = {
  staged: { current: { secret: { name: 'keys' } }, next: { secret: { name: 'next' } }, activate: { percent: 0 } },
};

async function setUp(t: TestContext) {
  const tenant = await Tenant.make(controlPlane());
  const next = await makeMaterial(1);
  await tenant.write('keys', (await makeMaterial()).files);
  await tenant.write('next', next.files);
  await tenant.create('shop', wechatpaySpec('', { source, grace: '1d' }));
  // The least that it needs.
  const env = await makeAccount(tenant, [rule('paycert.dev', ['paymentcredentials'], 'get', 'patch')]);
  const run = (...words: string[]) => paycert([...words, '-n', tenant.namespace], { env });
  const spec = async () => {
    const path = `/apis/paycert.dev/v1alpha1/namespaces/${tenant.namespace}/paymentcredentials/shop`;
    return (await controlPlane().admin('GET', path))['spec'];
  };
  const activated = (activate: object) => wechatpaySpec('', { source: { staged: { ...source.staged, activate } }, grace: '1d' }); // prettier-ignore
  const operate = () => startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
  return { tenant, next, run, spec, activated, operate };
}

describe('paycert promote and rollback', () => {
  it('change the activation alone, and say what it was', limit, async (t) => {
    const { run, spec, activated } = await setUp(t);
    for (const [words, activate, says] of [
      [['promote', 'shop', '--percent', '5'], { percent: 5 }, 'signs in about 5 of a hundred Pods; before, in no Pod'],
      [['promote', 'shop'], { percent: 100 }, 'signs in every Pod; before, in about 5 of a hundred Pods'],
      [
        ['promote', 'shop', '--percent', '50', '--of', 'requests'],
        { percent: 50, of: 'requests' },
        'signs in about 50 of a hundred requests; before, in every Pod',
      ],
      [['promote', 'shop'], { percent: 100 }, 'signs in every Pod; before, in about 50 of a hundred requests'],
      [['rollback', 'shop'], { percent: 0 }, 'signs in no Pod; before, in every Pod'],
    ] as const) {
      const { code, stdout, stderr } = await run(...words);
      assert.deepEqual([code, stdout, stderr], [0, `shop: Secret next ${says}\n`, '']);
      assert.deepEqual(await spec(), activated(activate));
    }
  });

  it('refuse to let a set sign that the operator found not to be valid, and always go back', limit, async (t) => {
    const { tenant, next, run, spec, activated, operate } = await setUp(t);
    await operate();
    await tenant.write('next', await withMismatchedPair(next, (await keyPairs())[3]));
    await tenant.condition('shop', 'Staged', 'False KeyMismatch');
    const refused = await run('promote', 'shop');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /shop is as it was: its next set is not valid\. .*\(credential-rejected\)/s);
    assert.deepEqual(await spec(), activated({ percent: 0 }));
    assert.equal((await run('rollback', 'shop')).code, 0);
  });

  it(
    'change nothing of a resource with one Secret, one that is not there, or without the permission',
    limit,
    async (t) => {
      const { tenant, run } = await setUp(t);
      await tenant.create('plain', wechatpaySpec('keys'));
      const plain = await run('promote', 'plain');
      assert.equal(plain.code, 64);
      assert.match(plain.stderr, /plain names one Secret/);
      assert.notEqual((await run('rollback', 'none')).code, 0);
      for (const percent of ['0', '101', 'x'])
        assert.equal((await run('promote', 'shop', '--percent', percent)).code, 64);
      assert.equal((await run('promote', 'shop', '--of', 'calls')).code, 64);
      const env = await makeAccount(tenant, [rule('paycert.dev', ['paymentcredentials'], 'get')], 'reader');
      const forbidden = await paycert(['promote', 'shop', '-n', tenant.namespace], { env });
      assert.match(forbidden.stderr, /cluster-forbidden/);
    },
  );
});
