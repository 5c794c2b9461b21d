// The operator on a real API server: Secrets are checked, and the status of each resource says what is so.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withMismatchedPair } from '../../src/testing/spoiled-material.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { soonestExpiry } from '../../src/operator/expiry.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { installDefinition, startOperator, Tenant, until, wechatpaySpec } from '../support/operator.ts';
import { keyPairs, makeMaterial } from '../support/sidecar.ts';

const day = 86_400_000;
const limit = { timeout: 120_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

describe('a PaymentCredential', () => {
  it('is Ready when its Secret passes every check, and tells its keys and their validity', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const material = await makeMaterial();
    await tenant.write('keys', material.files);
    await startOperator(t, controlPlane());
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const status = await tenant.condition('wechat-main', 'Ready', 'True Ready');
    assert.equal(status.provider, 'wechatpay');
    assert.ok(status.keys?.some(({ role, notAfter }) => role === 'merchant' && notAfter === status.notAfter));
    assert.match(status.accepted?.snapshotId ?? '', /^[0-9a-f]{16}$/);
    assert.deepEqual(status.accepted?.operations.includes('sign'), true);
    assert.equal(status.rejected, undefined);
    assert.deepEqual(status.conditions.map(({ type, status }) => `${type} ${status}`), ['Ready True', 'Valid True', 'Expiring False']); // prettier-ignore
  });

  it('keeps what was accepted when a bad Secret is written, says why, and recovers', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const material = await makeMaterial();
    await tenant.write('keys', material.files);
    await startOperator(t, controlPlane());
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const good = await tenant.condition('wechat-main', 'Ready', 'True Ready');
    await tenant.write('keys', await withMismatchedPair(material, (await keyPairs())[3]));
    const bad = await tenant.condition('wechat-main', 'Valid', 'False KeyMismatch');
    assert.deepEqual(bad.accepted, good.accepted);
    assert.equal(bad.rejected?.reason, 'KeyMismatch');
    assert.match(bad.message, /Replace key and certificate together.*keep what was accepted before/);
    await tenant.write('keys', material.files);
    const again = await tenant.condition('wechat-main', 'Ready', 'True Ready');
    assert.equal(again.accepted?.time, good.accepted?.time);
    assert.equal(again.rejected, undefined);
  });

  it('is looked at again when a certificate comes within 30 days of its end, and when it ends', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.write('keys', (await makeMaterial()).files);
    const first = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const { keys = [] } = await tenant.condition('wechat-main', 'Expiring', 'False ValidForLong');
    await first.stop();
    const end = soonestExpiry(keys)!.at.getTime();
    for (const [at, reason] of [
      [end - 30 * day, 'ExpiresSoon'],
      [end, 'Expired'],
    ] as const) {
      // prettier-ignore
      const clock = new FakeClock(new Date(at - 600_000));
      const operator = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], clock });
      await until(() => operator.recorder.of('reconciled').length > 0);
      const { reason: before } = (await tenant.status('wechat-main'))!.conditions.find(
        ({ type }) => type === 'Expiring',
      )!;
      assert.notEqual(before, reason);
      // The boundary, and what scatters a thousand of them.
      clock.advance(600_000 + 60_000);
      await tenant.condition('wechat-main', 'Expiring', `True ${reason}`);
      await operator.stop();
    }
    const expired = await tenant.condition('wechat-main', 'Valid', 'False CertificateExpired');
    assert.ok(expired.accepted, 'what signs goes on');
    const events = await tenant.events();
    for (const reason of ['ExpiresSoon', 'Expired', 'CertificateExpired'])
      assert.equal(
        events.filter((event) => event === `Warning ${reason} PaymentCredential/wechat-main`).length,
        1,
        reason,
      );
  });
});
