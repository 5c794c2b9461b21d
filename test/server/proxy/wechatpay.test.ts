// WeChat Pay through the proxy: the platform's own SDK, which knows only a base URL and a key that it made up.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Decorator } from 'wechatpay-axios-plugin';
import { createWechatpayMaterial, rotateMerchant } from '../../../src/testing/wechatpay-material.ts';
import { startWechatpayGateway } from '../../../src/testing/wechatpay-gateway.ts';
import { generateKeyPair, toPkcs8Pem, toSpkiPem } from '../../../src/testing/key-pair.ts';
import { merchantId } from '../../support/api-server.ts';
import { startProxied, token } from '../../support/proxied.ts';

// The SDK has no clock but the machine's.
const now = new Date();
const material = await createWechatpayMaterial({ merchantId, now, publicKey: true });
const throwAway = await generateKeyPair();

const order = { mchid: merchantId, appid: 'wx1', description: '手机', out_trade_no: 'A|2', amount: { total: 1 } };

async function start(t: TestContext) {
  const platform = await startWechatpayGateway({ now: () => now });
  t.after(() => platform.close());
  platform.admit(material);
  const proxied = await startProxied(t, { material, double: platform.url, now });
  const sdk = new Decorator({
    baseURL: `http://${proxied.tcp}/shop/`,
    headers: { 'Paycert-Token': token },
    mchid: merchantId,
    serial: 'ABCDEF',
    privateKey: toPkcs8Pem(throwAway.privateKey),
    certs: Object.fromEntries(material.platformKeys.map(({ keyId, publicKey }) => [keyId, toSpkiPem(publicKey)])),
  });
  return { platform, proxied, sdk };
}

describe('the SDK of the platform with another base URL and a throw-away key', () => {
  it('orders, queries and downloads certificates, and verifies each response itself', async (t) => {
    const { platform, sdk } = await start(t);
    const paid = await sdk.request<{ prepay_id: string }>('v3/pay/transactions/jsapi', 'POST', order);
    assert.match(paid.data.prepay_id, /^wx/);
    const params = { mchid: merchantId };
    const queried = await sdk.request<{ out_trade_no: string }>('v3/pay/transactions/out-trade-no/A-2', 'GET', undefined, { params }); // prettier-ignore
    assert.equal(queried.data.out_trade_no, 'A-2');
    const listed = await sdk.request<{ data: unknown[] }>('v3/certificates', 'GET');
    assert.equal(listed.data.data.length, 2);
    assert.deepEqual([platform.counts.accepted, platform.counts.refused], [3, 0]);
    assert.deepEqual([...platform.counts.bySerial.keys()], [material.merchant.serialNumber]);
  });

  it('continues through a rotation of the merchant’s key and of the platform’s', async (t) => {
    const { platform, proxied, sdk } = await start(t);
    await sdk.request('v3/pay/transactions/jsapi', 'POST', order);
    const rotated = await rotateMerchant(material, { now });
    platform.admit(rotated);
    assert.equal(await proxied.load('shop', rotated.files), undefined);
    platform.revoke(merchantId, material.merchant.serialNumber);
    await sdk.request('v3/pay/transactions/jsapi', 'POST', order);
    assert.equal(platform.counts.bySerial.get(rotated.merchant.serialNumber), 1);
    assert.equal(platform.counts.refused, 0);
  });
});
