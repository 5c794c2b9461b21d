// The operator on a real API server: Secrets are checked, and the status of each resource says what is so.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rotateMerchant } from '../../src/testing/index.ts';
import { withMismatchedPair } from '../../src/testing/spoiled-material.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { soonestExpiry } from '../../src/operator/status/expiry.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { installDefinition, startOperator, Tenant, until, wechatpaySpec } from '../support/operator.ts';
import { call, keyPairs, makeMaterial } from '../support/sidecar.ts';

const day = 86_400_000;
const limit = { timeout: 300_000, skip: noControlPlane };
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
    assert.ok(status.keys?.some(({ role, replaceBy }) => role === 'apiv3' && replaceBy !== undefined));
    assert.match(status.accepted?.snapshotId ?? '', /^[0-9a-f]{16}$/);
    assert.deepEqual(status.accepted?.capabilities.includes('sign'), true);
    assert.equal(status.rejected, undefined);
    assert.deepEqual(status.conditions.map(({ type, status }) => `${type} ${status}`), ['Ready True', 'Valid True', 'Deferred False', 'Expiring False', 'TooOld False']); // prettier-ignore
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

  it('is Deferred while what is stored waits for its time, and becomes Ready by itself then', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const material = await makeMaterial();
    await tenant.write('keys', material.files);
    const clock = new FakeClock(new Date());
    const operator = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], clock });
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const good = await tenant.condition('wechat-main', 'Ready', 'True Ready');
    const [, , , keyPair] = await keyPairs();
    const next = await rotateMerchant(material, { now: new Date(clock.now().getTime() + 10 * day), keyPair: keyPair! });
    await tenant.write('keys', next.files);
    const waiting = await tenant.condition('wechat-main', 'Deferred', 'True CertificateNotYetValid');
    const { deferred } = waiting;
    assert.deepEqual([waiting.accepted, waiting.rejected], [good.accepted, undefined]);
    assert.equal(deferred?.isBridged, true);
    await tenant.condition('wechat-main', 'Ready', 'False Deferred');
    await until(async () => (await tenant.events()).includes('Normal Deferred PaymentCredential/wechat-main'));
    const { content } = await call(operator.address, '/metrics');
    assert.match(content, /^paycert_stored_deferred_until_timestamp_seconds\{.*bridged="true"\} [\d.e+]+$/m);
    // Its time, and what scatters a thousand of them.
    clock.advance(Date.parse(deferred.until) - clock.now().getTime() + 60_000);
    const current = await tenant.condition('wechat-main', 'Ready', 'True Ready');
    assert.deepEqual([current.deferred, current.accepted?.snapshotId], [undefined, deferred.snapshotId]);
    assert.deepEqual(
      (await tenant.events()).filter((event) => event.startsWith('Warning')),
      [],
    );
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
      // The Event follows the status; whoever stops in between sends none.
      await until(async () => (await tenant.events()).includes(`Warning ${reason} PaymentCredential/wechat-main`));
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

  it(
    'is TooOld when maxAge has passed since its secret was first seen, whichever operator saw it',
    limit,
    async (t) => {
      const tenant = await Tenant.make(controlPlane());
      await tenant.write('keys', (await makeMaterial()).files);
      const first = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
      await tenant.create('wechat-main', wechatpaySpec('keys', { maxAge: '30d' }));
      const seen = await tenant.condition('wechat-main', 'TooOld', 'False KeyYoungEnough');
      await first.stop();
      const end = Date.parse(seen.keys!.find(({ role }) => role === 'apiv3')!.replaceBy!);
      const clock = new FakeClock(new Date(end - 600_000));
      const operator = await startOperator(t, controlPlane(), { namespaces: [tenant.namespace], clock });
      await until(() => operator.recorder.of('reconciled').length > 0);
      assert.equal(operator.recorder.of('reconciled')[0]?.outcome, 'unchanged', 'a restart makes nothing young again');
      // The boundary, and what scatters a thousand of them.
      clock.advance(600_000 + 60_000);
      const old = await tenant.condition('wechat-main', 'TooOld', 'True KeyTooOld');
      assert.deepEqual(old.firstSeen, seen.firstSeen);
      assert.ok(old.conditions.some(({ type, status }) => type === 'Ready' && status === 'True'));
      await until(async () => (await tenant.events()).includes('Warning KeyTooOld PaymentCredential/wechat-main'));
      const { content } = await call(operator.address, '/metrics');
      assert.match(
        content,
        new RegExp(
          `paycert_stored_key_replace_by_timestamp_seconds\\{credential_namespace="${tenant.namespace}",kind="PaymentCredential",credential="wechat-main",role="apiv3"\\} ${end / 1000}`,
        ),
      );
    },
  );

  it('is as old as the Secret says, in a part or in an annotation', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const { files } = await makeMaterial();
    const annotations = { 'paycert.dev/created-at': '2020-01-02' };
    await tenant.write('annotated', files, { annotations });
    await tenant.write('dated', new Map([...files, ['created_at', Buffer.from('2020-03-04T00:00:00Z')]]), {
      annotations,
    });
    await startOperator(t, controlPlane(), { namespaces: [tenant.namespace] });
    for (const [secret, createdAt] of [
      ['annotated', '2020-01-02T00:00:00.000Z'],
      ['dated', '2020-03-04T00:00:00.000Z'],
    ] as const) {
      await tenant.create(secret, wechatpaySpec(secret));
      const status = await tenant.condition(secret, 'TooOld', 'True KeyTooOld');
      assert.equal(status.createdAt, createdAt);
      assert.match(status.message, /It was made, as the Secret says, at 2020-0/);
    }
    // The annotation alone changes, and no key.
    await tenant.write('annotated', files, { annotations: { 'paycert.dev/created-at': 'some day' } });
    const remark = 'paycert.dev/created-at is no time of RFC 3339, and is ignored';
    await until(async () =>
      (await tenant.condition('annotated', 'TooOld', 'False KeyYoungEnough')).message.includes(remark),
    );
  });
});
