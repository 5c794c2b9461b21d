// What is added to a request by its interface: the configured AppID and the merchant, each by the name that the interface has.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wechatpayV2 } from '../../../src/providers/wechatpay-v2/provider.ts';
import { readXml } from '../../../src/providers/wechatpay-v2/xml.ts';
import { filesOf } from '../../support/directories.ts';
import { merchantId, now } from '../../support/wechatpay.ts';

const { operations } = await wechatpayV2({ merchantId, appId: 'wx1' }).load(filesOf({ apiv2_key: 'k'.repeat(32) }));
const { authorize } = operations;
assert.ok(authorize);

async function added(path: string, parameters: Record<string, string> = {}): Promise<Record<string, string>> {
  const url = `https://api.mch.weixin.qq.com${path}`;
  const { body } = await authorize!({ url, parameters: { out_order_no: '1', ...parameters } }, { now, nonce: 'n' });
  const { sign, out_order_no: _, ...rest } = Object.fromEntries(readXml(body!));
  assert.ok(sign);
  return rest;
}

const expected: Readonly<Record<string, Record<string, string>>> = {
  '/pay/profitsharingquery': { mch_id: merchantId },
  '/pay/profitsharingorderamountquery': { mch_id: merchantId },
  '/pay/profitsharingmerchantratioquery': { mch_id: merchantId },
  '/mmpaysptrans/pay_bank': { mch_id: merchantId },
  '/mmpaysptrans/query_bank': { mch_id: merchantId },
  '/risk/getpublickey': { mch_id: merchantId },
  '/risk/getcertficates': { mch_id: merchantId },
  '/mchrisk/querymchrisk': { mch_id: merchantId },
  '/applyment/micro/getstate': { mch_id: merchantId },
  '/fund/queryautowithdrawbydate': { mch_id: merchantId },
  '/xdc/apiv2getsignkey/sign/getsignkey': { mch_id: merchantId },
  '/mmpaymkttransfers/sendredpack': { wxappid: 'wx1', mch_id: merchantId },
  '/mmpaymkttransfers/sendgroupredpack': { wxappid: 'wx1', mch_id: merchantId },
  '/mmpaymkttransfers/sendminiprogramhb': { wxappid: 'wx1', mch_id: merchantId },
  '/mmpaymkttransfers/sendworkwxredpack': { wxappid: 'wx1', mch_id: merchantId },
  '/mmpaymkttransfers/promotion/transfers': { mch_appid: 'wx1', mchid: merchantId },
  '/pay/combinedorder': { combine_appid: 'wx1', combine_mch_id: merchantId },
  '/pay/querycombinedorder': { combine_appid: 'wx1', combine_mch_id: merchantId },
  '/pay/closecombinedorder': { combine_appid: 'wx1', combine_mch_id: merchantId },
  // Their neighbours take the usual names.
  '/pay/unifiedorder': { appid: 'wx1', mch_id: merchantId },
  '/pay/profitsharingreturnquery': { appid: 'wx1', mch_id: merchantId },
  '/pay/profitsharingaddreceiver': { appid: 'wx1', mch_id: merchantId },
  '/secapi/pay/profitsharing': { appid: 'wx1', mch_id: merchantId },
  '/secapi/pay/profitsharingfinish': { appid: 'wx1', mch_id: merchantId },
  '/mmpaymkttransfers/gethbinfo': { appid: 'wx1', mch_id: merchantId },
  '/mmpaymkttransfers/gettransferinfo': { appid: 'wx1', mch_id: merchantId },
  '/mmpaymkttransfers/promotion/paywwsptrans2pocket': { appid: 'wx1', mch_id: merchantId },
};

describe('a configured AppID', () => {
  for (const [path, names] of Object.entries(expected))
    it(`is signed into ${path} as the interface takes it`, async () => {
      assert.deepEqual(await added(path), { ...names, nonce_str: 'n' });
    });

  it('is signed in the sandbox as in production', async () => {
    for (const sandbox of ['/sandboxnew', '/xdc/apiv2sandbox'])
      for (const [path, names] of Object.entries(expected))
        assert.deepEqual(await added(sandbox + path), { ...names, nonce_str: 'n' }, sandbox + path);
  });

  it('is never a second one beside what the caller gives, whatever the name', async () => {
    for (const name of ['appid', 'wxappid', 'mch_appid', 'combine_appid'])
      for (const path of Object.keys(expected)) {
        const names = Object.keys(await added(path, { [name]: 'wx2' }));
        assert.deepEqual(
          names.filter((one) => one.endsWith('appid')),
          [name],
          path,
        );
      }
  });

  it('is left out of any interface where the caller gives it empty', async () => {
    for (const path of Object.keys(expected))
      assert.ok(!Object.keys(await added(path, { appid: '' })).some((name) => name.endsWith('appid')), path);
  });
});
