// SDKs for Node behind `deliver: raw`: they verify again what was handed on, and open it with their own keys.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AlipaySdk } from 'alipay-sdk';
import { Aes, Formatter, Rsa } from 'wechatpay-axios-plugin';
import { createAlipayMaterial, makeAlipayNotification, makeNotification, toPkcs8Pem } from '../../../src/testing/index.ts'; // prettier-ignore
import { makeMaterial, start } from '../../support/api-server.ts';
import { startNotified } from '../../support/notified.ts';

const appId = '2021000000000001';

describe('behind deliver: raw', () => {
  it('wechatpay-axios-plugin verifies and opens a notification of WeChat Pay', async (t) => {
    const material = await makeMaterial();
    const [platformKey] = material.platformKeys;
    assert.ok(platformKey);
    const notified = await startNotified(t, { files: material.files, deliver: 'raw' });
    const { apiV3Key } = material;
    const resource = { out_trade_no: '1', attach: '支付' };
    assert.equal((await notified.post(makeNotification({ platformKey, apiV3Key, resource, now: start }))).status, 204);
    const [handed] = notified.application.handed;
    assert.ok(handed);
    const value = (name: string) => String(handed.headers[`wechatpay-${name}`]);
    const text = handed.body.toString();
    assert.ok(Rsa.verify(Formatter.response(value('timestamp'), value('nonce'), text), value('signature'), platformKey.publicKey)); // prettier-ignore
    const { resource: sealed } = JSON.parse(text) as { resource: Record<'ciphertext' | 'nonce' | 'associated_data', string> }; // prettier-ignore
    const opened = Aes.AesGcm.decrypt(sealed.ciphertext, apiV3Key, sealed.nonce, sealed.associated_data);
    assert.deepEqual(JSON.parse(opened), resource);
  });

  it('alipay-sdk verifies a notification of Alipay', async (t) => {
    const material = await createAlipayMaterial({ appId, now: start });
    const [alipayKey] = material.alipayKeys;
    assert.ok(alipayKey);
    const provider = { alipay: { appId, mode: 'certificate' as const } };
    const notified = await startNotified(t, { files: material.files, provider, deliver: 'raw' });
    const parameters = { app_id: appId, notify_id: 'a-1', out_trade_no: '1', subject: '订单 +%&=' };
    assert.equal((await notified.post(makeAlipayNotification({ alipayKey, parameters }))).text, 'success');
    const [handed] = notified.application.handed;
    assert.ok(handed);
    const sdk = new AlipaySdk({
      appId,
      privateKey: toPkcs8Pem(material.app.privateKey),
      keyType: 'PKCS8',
      appCertContent: material.app.certificate,
      alipayRootCertContent: material.authority.certificate,
      alipayPublicCertContent: alipayKey.issued.certificate,
    });
    const form = Object.fromEntries(new URLSearchParams(handed.body.toString()));
    assert.ok(sdk.checkNotifySignV2(form));
    assert.ok(!sdk.checkNotifySignV2({ ...form, out_trade_no: '2' }));
  });
});
