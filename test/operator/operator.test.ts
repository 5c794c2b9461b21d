// The operator on a real API server: Secrets are checked, and the status of each resource says what is so.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withMismatchedPair } from '../../src/testing/spoiled-material.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, startOperator, Tenant, wechatpaySpec } from '../support/operator.ts';
import { keyPairs, makeMaterial } from '../support/sidecar.ts';

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
});
