// The operator on a real API server, and a resource of two staged Secrets: both are checked, and the activation alone decides whose status it is.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { withMismatchedPair } from '../../src/testing/spoiled-material.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { installDefinition, type Overrides, startOperator, Tenant, until, wechatpaySpec } from '../support/operator.ts';
import { keyPairs, makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
const stagedSource = (activate: object) => ({
  staged: { current: { secret: { name: 'keys' } }, next: { secret: { name: 'next' } }, activate },
});

async function start(t: TestContext, activate: object, overrides: Overrides = {}) {
  const tenant = await Tenant.make(controlPlane());
  const [current, next] = [await makeMaterial(), await makeMaterial(1)];
  await tenant.write('keys', current.files);
  await tenant.write('next', next.files);
  const running = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], ...overrides });
  await tenant.create('wechat-main', wechatpaySpec('', { source: stagedSource(activate), older: 'reject' }));
  const keyIds = [current, next].map(({ merchant }) => merchant.serialNumber);
  return { tenant, current, next, running, keyIds };
}

describe('a PaymentCredential with two staged Secrets', () => {
  it('is Ready by the current one, and says what is known of the next one before it signs', limit, async (t) => {
    const { tenant, keyIds } = await start(t, { percent: 0 });
    const status = await tenant.condition('wechat-main', 'Staged', 'True Waiting');
    assert.equal(status.keyId, keyIds[0]);
    const { set, secret, keyId, percent, snapshotId } = status.staged!;
    assert.deepEqual([set, secret, keyId, percent], ['Next', 'next', keyIds[1], 0]);
    assert.notEqual(snapshotId, status.accepted?.snapshotId);
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
  });

  it('says what is wrong with the next one, and stays Ready', limit, async (t) => {
    const { tenant, next } = await start(t, { percent: 0 });
    await tenant.condition('wechat-main', 'Staged', 'True Waiting');
    await tenant.write('next', await withMismatchedPair(next, (await keyPairs())[3]));
    const bad = await tenant.condition('wechat-main', 'Staged', 'False KeyMismatch');
    assert.match(bad.message, /^Secret "next": .*The other set signs, and is not affected\.$/s);
    assert.deepEqual([bad.rejected, bad.conditions.find(({ type }) => type === 'Ready')?.status], [undefined, 'True']);
    await until(async () => (await tenant.events()).includes('Warning KeyMismatch PaymentCredential/wechat-main'));
    await tenant.removeSecret('next');
    await tenant.condition('wechat-main', 'Staged', 'False SecretMissing');
  });

  it('is about the next one when it is promoted, and goes back although that is older', limit, async (t) => {
    const { tenant, keyIds } = await start(t, { percent: 0 });
    await tenant.condition('wechat-main', 'Staged', 'True Waiting');
    await tenant.patch('wechat-main', { source: stagedSource({ percent: 50 }) });
    assert.equal((await tenant.condition('wechat-main', 'Staged', 'True InSomePods')).keyId, keyIds[0]);
    await tenant.patch('wechat-main', { source: stagedSource({ percent: 50, of: 'requests' }) });
    const shared = await tenant.condition('wechat-main', 'Staged', 'True InSomeRequests');
    assert.match(shared.message, /signs about 50 of a hundred requests of each Pod\.$/);
    await tenant.patch('wechat-main', { source: stagedSource({ percent: 100 }) });
    const promoted = await tenant.condition('wechat-main', 'Staged', 'True Replaced');
    assert.deepEqual([promoted.keyId, promoted.staged?.keyId, promoted.staged?.set], [keyIds[1], keyIds[0], 'Current']);
    await tenant.patch('wechat-main', { source: stagedSource({ percent: 0 }) });
    const back = await tenant.condition('wechat-main', 'Staged', 'True Waiting');
    assert.deepEqual([back.keyId, back.rejected, back.accepted?.snapshotId], [keyIds[0], undefined, promoted.staged?.snapshotId]); // prettier-ignore
    await tenant.condition('wechat-main', 'Ready', 'True Ready');
  });

  it('is about the next one from its time on, by itself', limit, async (t) => {
    const clock = new FakeClock(new Date());
    const at = new Date(Math.ceil(clock.now().getTime() / 1000) * 1000 + 3_600_000);
    const { tenant, keyIds } = await start(t, { at: at.toISOString().replace('.000', '') }, { clock });
    const waiting = await tenant.condition('wechat-main', 'Staged', 'True Waiting');
    assert.deepEqual([waiting.keyId, waiting.staged?.at], [keyIds[0], at.toISOString()]);
    clock.advance(at.getTime() - clock.now().getTime());
    // Further until it has looked: when its pause began, and what scatters a thousand of them, is not known here.
    await until(async () => {
      clock.advance(60_000);
      return (await tenant.status('wechat-main'))?.keyId === keyIds[1];
    }, 'the next one signs');
    await tenant.condition('wechat-main', 'Staged', 'True Replaced');
  });

  it('touches Pods when either Secret changes', limit, async (t) => {
    const { tenant, running } = await start(t, { percent: 0 }, { refreshesPods: true });
    await tenant.patch('wechat-main', { refreshPods: true });
    await tenant.condition('wechat-main', 'Staged', 'True Waiting');
    for (const [secret, rotation] of [['next', 2], ['keys', 3]] as const) {
      const refreshed = running.recorder.next('pods-refreshed');
      await tenant.write(secret, (await makeMaterial(rotation)).files);
      assert.equal((await refreshed).object, `${tenant.namespace}/wechat-main`);
    } // prettier-ignore
  });
});
