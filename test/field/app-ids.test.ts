// An AppID of another platform, or a partner's id in its place, is refused before anything is signed, and the message says whose it is.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { parseSpec } from '../../src/config/resource.ts';
import { wechatpayV2 } from '../../src/providers/wechatpay-v2/provider.ts';
import { filesOf } from '../support/directories.ts';
import { loadFit, makeMaterial, merchantId, now, refusal } from '../support/wechatpay.ts';

const configure = (provider: string) =>
  parseConfig(`listen: { socket: /run/p.sock }
credentials:
  - name: one
    provider: ${provider}
    source: { files: { path: /etc/one } }
`);

const wechat = 'wx8888888888888888';
const partner = '2088000000000000';
const application = '2021000000000001';

describe('the AppID of a configuration', () => {
  for (const [provider, words] of [
    [`{ alipay: { appId: ${wechat}, mode: key } }`, /alipay\.appId is an AppID of WeChat/],
    [`{ alipay: { appId: "${partner}", mode: key } }`, /alipay\.appId is a partner id of Alipay/],
    [
      `{ wechatpayV2: { merchantId: "1900000001", appId: "${application}" } }`,
      /wechatpayV2\.appId is an AppID of Alipay/,
    ],
    [
      `{ wechatpayV2: { merchantId: "1900000001", appId: "${partner}" } }`,
      /wechatpayV2\.appId is a partner id of Alipay/,
    ],
  ] as const)
    it(`of another platform is refused with whose it is: ${provider}`, () => {
      assert.throws(() => configure(provider), { code: 'config-invalid', message: words });
    });

  it('of another platform is refused in a PaymentCredential too', () => {
    const spec = { provider: { alipay: { appId: wechat, mode: 'key' } }, source: { secret: { name: 'one' } } };
    assert.throws(() => parseSpec(spec), {
      code: 'resource-invalid',
      message: /^spec\.provider\.alipay\.appId is an AppID/,
    });
    assert.ok(parseSpec({ ...spec, provider: { alipay: { appId: application, mode: 'key' } } }));
  });

  it('of its own platform is accepted', () => {
    configure(`{ alipay: { appId: "${application}", mode: key } }`);
    configure(`{ wechatpayV2: { merchantId: "1900000001", appId: ${wechat} } }`);
    configure('{ wechatpayV2: { merchantId: "1900000001", appId: ww8888888888888888 } }');
  });
});

describe('payment parameters of WeChat Pay', () => {
  it('are signed for no AppID of Alipay’s, in either version', async () => {
    const v3 = await loadFit((await makeMaterial()).files);
    const v2 = await wechatpayV2({ merchantId }).load(filesOf({ apiv2_key: 'k'.repeat(32) }));
    const moment = { now, nonce: 'a' };
    for (const sign of [v3.paymentParameters, v2.operations.paymentParameters!])
      for (const type of ['app', 'jsapi'] as const) {
        for (const appId of [application, partner])
          await assert.rejects(() => sign({ type, appId, prepayId: 'wx1' }, moment), refusal('request-invalid'));
        assert.ok(await sign({ type, appId: wechat, prepayId: 'wx1' }, moment));
      }
  });
});
