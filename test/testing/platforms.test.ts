// The doubles keep what was ordered, paid and refunded, as the platforms do, and refuse what is not signed.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { Aes, Hash } from 'wechatpay-axios-plugin';
import type { AuthorizedRequest, RequestToAuthorize } from '../../src/providers/provider.ts';
import { aliyun } from '../../src/providers/aliyun/provider.ts';
import { VerifiedNotification } from '../../src/providers/verified.ts';
import { readXml } from '../../src/providers/wechatpay-v2/xml.ts';
import {
  makeV2Notification,
  makeV2RefundNotification,
  startAlipayGateway,
  startAliyunGateway,
  startWechatpayGateway,
} from '../../src/testing/index.ts';
import * as alipay from '../support/alipay.ts';
import { flatten } from '../support/flatten.ts';
import { exchange } from '../support/http-client.ts';
import { loadFit, makeMaterial, merchantId, now } from '../support/wechatpay.ts';

type Json = Readonly<Record<string, unknown>>;

let used = 0;
const moment = (at = now) => ({ now: at, nonce: `nonce${String((used += 1)).padStart(27, '0')}` });

const sendTo = (base: string, { method, url, headers, body }: AuthorizedRequest, given?: string) => {
  const { pathname, search } = new URL(url, base);
  return exchange(new URL(base).host, { method, path: pathname + search, headers, body: body ?? given });
};

describe('the double of WeChat Pay', async () => {
  const material = await makeMaterial();
  const context = await loadFit(material.files);
  const gateway = await startWechatpayGateway({ now: () => now });
  after(() => gateway.close());
  gateway.admit(material);
  const ask = async (method: string, url: string, content?: object) => {
    const body = content && JSON.stringify(content);
    const authorized = await context.authorize({ method, url, ...(body && { body: Buffer.from(body) }) }, moment());
    const { status, text, headers } = await sendTo(gateway.url, authorized, body);
    const received = { kind: 'response', method, url, status, headers: headers as Record<string, string> } as const;
    // Errors are signed too, once the request's own signature was good.
    await context.verify({ ...received, body: Buffer.from(text) }, now);
    return { status, ...(text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)) } as Record<string, unknown>;
  };
  const order = (number: string, more = {}) =>
    ask('POST', '/v3/pay/transactions/jsapi', {
      ...{ appid: 'wx1', mchid: merchantId, out_trade_no: number, notify_url: 'https://shop.example/paid' },
      ...{ amount: { total: 100 }, payer: { openid: 'o1' }, attach: '附加', ...more },
    });
  const query = (number: string) => ask('GET', `/v3/pay/transactions/out-trade-no/${number}?mchid=${merchantId}`);
  const refund = (number: string, of: object, amount: number) =>
    ask('POST', '/v3/refund/domestic/refunds', {
      ...{ out_refund_no: number, notify_url: 'https://shop.example/refunded', ...of },
      amount: { refund: amount, total: 100, currency: 'CNY' },
    });
  const open = async ({ headers, body }: { headers: Readonly<Record<string, string>>; body: Uint8Array }) => {
    const received = { kind: 'notification', headers, body } as const;
    return context.openNotification(await VerifiedNotification.from(context.verify, received, now));
  };

  it('tells of an order that it is paid, and of nothing more than once', async () => {
    assert.equal((await order('A1'))['status'], 200);
    assert.equal((await query('A1'))['trade_state'], 'NOTPAY');
    const posted = gateway.pay(merchantId, 'A1');
    assert.equal(posted.url, 'https://shop.example/paid');
    const { eventType, resource } = await open(posted);
    const paid = await query('A1');
    assert.deepEqual([eventType, { status: 200, ...(resource as object) }], ['TRANSACTION.SUCCESS', paid]);
    assert.equal(paid['trade_state'], 'SUCCESS');
    assert.deepEqual(paid['amount'], { total: 100, payer_total: 100, currency: 'CNY', payer_currency: 'CNY' });
    assert.throws(() => gateway.pay(merchantId, 'A1'), RangeError);
    assert.throws(() => gateway.pay(merchantId, 'A0'), RangeError);
    assert.deepEqual((await order('A1'))['code'], 'ORDERPAID');
  });

  it('answers the other ways to pay with what their client needs', async () => {
    const place = (way: string) =>
      ask('POST', `/v3/pay/transactions/${way}`, { mchid: merchantId, out_trade_no: `B-${way}` });
    assert.match(String((await place('app'))['prepay_id']), /^wx/);
    assert.match(String((await place('native'))['code_url']), /^weixin:\/\/wxpay\//);
    assert.match(String((await place('h5'))['h5_url']), /^https:\/\/wx\.tenpay\.com\//);
  });

  it('closes an order that nobody has paid, and none that is paid', async () => {
    await order('C1');
    const close = (number: string) =>
      ask('POST', `/v3/pay/transactions/out-trade-no/${number}/close`, { mchid: merchantId });
    assert.deepEqual(await close('C1'), { status: 204 });
    assert.equal((await query('C1'))['trade_state'], 'CLOSED');
    assert.throws(() => gateway.pay(merchantId, 'C1'), RangeError);
    assert.equal((await close('A1'))['code'], 'ORDERPAID');
    assert.equal((await close('C0'))['code'], 'ORDER_NOT_EXIST');
  });

  it('pays back no more than was paid, and the same refund once', async () => {
    await order('D1');
    assert.equal((await refund('R1', { out_trade_no: 'D1' }, 40))['code'], 'INVALID_REQUEST');
    gateway.pay(merchantId, 'D1');
    const first = await refund('R1', { out_trade_no: 'D1' }, 40);
    assert.deepEqual([first['status'], first['transaction_id']], ['PROCESSING', (await query('D1'))['transaction_id']]);
    assert.deepEqual(await refund('R1', { out_trade_no: 'D1' }, 40), first);
    assert.equal((await refund('R2', { out_trade_no: 'D1' }, 61))['code'], 'INVALID_REQUEST');
    assert.equal((await refund('R2', { transaction_id: first['transaction_id'] }, 60))['status'], 'PROCESSING');
    assert.equal((await query('D1'))['trade_state'], 'REFUND');
    const { eventType, resource } = await open(gateway.completeRefund(merchantId, 'R1'));
    assert.deepEqual([eventType, (resource as Json)['refund_status']], ['REFUND.SUCCESS', 'SUCCESS']);
    assert.deepEqual((resource as Json)['amount'], { total: 100, refund: 40, payer_total: 100, payer_refund: 40 });
    assert.equal((await ask('GET', '/v3/refund/domestic/refunds/R1'))['status'], 'SUCCESS');
    assert.equal((await ask('GET', '/v3/refund/domestic/refunds/R0'))['code'], 'RESOURCE_NOT_EXISTS');
    assert.throws(() => gateway.completeRefund(merchantId, 'R1'), RangeError);
  });
});

describe('the double of Alipay', async () => {
  const material = await alipay.makeMaterial();
  const context = await alipay.loadFit(material.files);
  const gateway = await startAlipayGateway({ material, now: () => alipay.now });
  after(() => gateway.close());
  const ask = async (apiMethod: string, business: object) => {
    const call = { apiMethod, bizContent: JSON.stringify(business) };
    const { status, text } = await sendTo(gateway.url, await context.authorize(call, moment(alipay.now)));
    await context.verify({ kind: 'response', apiMethod, body: Buffer.from(text), status }, alipay.now);
    return Object.values(JSON.parse(text) as Record<string, Record<string, unknown>>)[0] ?? {};
  };
  const payment = (apiMethod: string, number: string) =>
    context.paymentParameters(
      {
        apiMethod,
        bizContent: JSON.stringify({ out_trade_no: number, total_amount: '1.00', subject: '手机' }),
        parameters: { notify_url: 'https://shop.example/paid', return_url: 'https://shop.example/back?a=1' },
      },
      moment(alipay.now),
    ) as Promise<Record<string, string>>;

  it('is paid on a page, says so to the shop, and sends the payer back', async () => {
    const { pageUrl = '' } = await payment('alipay.trade.page.pay', 'A1');
    const address = new URL(pageUrl);
    const page = await exchange(new URL(gateway.url).host, { path: address.pathname + address.search });
    assert.deepEqual([page.status, page.headers.location], [302, 'https://excashier.alipay.com/standard/auth.htm']);
    assert.equal((await ask('alipay.trade.query', { out_trade_no: 'A1' }))['trade_status'], 'WAIT_BUYER_PAY');
    const { url, body, returnUrl } = gateway.pay('A1');
    const received = { kind: 'notification', body } as const;
    const verified = await VerifiedNotification.from(context.verify, received, alipay.now);
    const resource = (await context.openNotification(verified)).resource as Json;
    assert.deepEqual(
      [url, resource['trade_status'], resource['total_amount'], resource['subject']],
      ['https://shop.example/paid', 'TRADE_SUCCESS', '1.00', '手机'],
    );
    assert.match(returnUrl, /^https:\/\/shop\.example\/back\?a=1&/);
    await context.verify({ kind: 'return', url: returnUrl.replace('a=1&', ''), body: Buffer.alloc(0) }, alipay.now);
    assert.throws(() => gateway.pay('A1'), RangeError);
  });

  it('takes the order string of an app, pays back no more than was paid, and the same refund once', async () => {
    const { orderString = '' } = await payment('alipay.trade.app.pay', 'B1');
    const paid = await exchange(new URL(gateway.url).host, { method: 'POST', path: '/gateway.do', body: orderString });
    assert.match(paid.text, /^\{"alipay_trade_app_pay_response":\{"code":"10000",/);
    const refund = (number: string, amount: string) =>
      ask('alipay.trade.refund', { out_trade_no: 'B1', out_request_no: number, refund_amount: amount });
    assert.equal((await refund('R1', '0.40'))['sub_code'], 'ACQ.TRADE_STATUS_ERROR');
    gateway.pay('B1');
    const first = await refund('R1', '0.40');
    assert.deepEqual([first['fund_change'], first['refund_fee']], ['Y', '0.40']);
    assert.equal((await refund('R1', '0.40'))['fund_change'], 'N');
    assert.equal((await refund('R2', '0.61'))['sub_code'], 'ACQ.REFUND_AMT_NOT_EQUAL_TOTAL');
    const found = (out_request_no: string) =>
      ask('alipay.trade.fastpay.refund.query', { out_trade_no: 'B1', out_request_no });
    assert.deepEqual((await found('R1'))['refund_status'], 'REFUND_SUCCESS');
    assert.equal((await found('R2'))['refund_status'], undefined);
    assert.equal((await refund('R2', '0.60'))['refund_fee'], '1.00');
    assert.equal((await ask('alipay.trade.query', { out_trade_no: 'B1' }))['trade_status'], 'TRADE_CLOSED');
  });
});

describe('the double of Aliyun', async () => {
  const account = { accessKeyId: 'STS.NTExample', accessKeySecret: 'secret', securityToken: 'token/+=' };
  const at = new Date('2026-03-01T00:00:00Z');
  const gateway = await startAliyunGateway({ account, now: () => at });
  after(() => gateway.close());
  const contextOf = async (secret: string) => {
    const parts = {
      ...{ access_key_id: account.accessKeyId, access_key_secret: secret },
      ...{ security_token: account.securityToken, expiration: '2026-03-01T01:00:00Z' },
    };
    const { authorize } = flatten(
      await aliyun().load(new Map(Object.entries(parts).map(([name, text]) => [name, Buffer.from(text)]))),
    );
    return authorize!;
  };
  const sms = {
    PhoneNumbers: '13800000000',
    SignName: '小店',
    TemplateCode: 'SMS_1',
    TemplateParam: '{"code":"1 2*~"}',
  };
  const rpc = {
    url: gateway.url,
    apiMethod: 'SendSms',
    parameters: { Version: '2017-05-25', ...sms },
  };
  const acs3 = {
    method: 'POST',
    url: `${gateway.url}/?${new URLSearchParams({ PhoneNumbers: '1', SignName: 'a b*' }).toString().replaceAll('+', '%20')}`,
    apiMethod: 'SendSms',
    headers: { 'x-acs-version': '2017-05-25', 'Content-Type': 'application/x-www-form-urlencoded' },
    body: Buffer.from('TemplateCode=SMS_2'),
  };
  const send = async (request: RequestToAuthorize, { secret = 'secret', signedAt = at, again = 1 } = {}) => {
    const authorized = await (await contextOf(secret))(request, moment(signedAt));
    let answer = { code: '', message: '' };
    for (let i = 0; i < again; i += 1) {
      const { text } = await sendTo(gateway.url, authorized, request.body && Buffer.from(request.body).toString());
      const { Code: code = '', Message: message = '' } = JSON.parse(text) as Record<string, string>;
      answer = { code, message };
    }
    return answer;
  };

  it('takes a text message in either signature', async () => {
    assert.equal((await send(rpc)).code, 'OK');
    assert.equal((await send(acs3)).code, 'OK');
    const sent = gateway.sent.map(({ bizId: _, ...message }) => message);
    assert.deepEqual(sent, [sms, { PhoneNumbers: '1', SignName: 'a b*', TemplateCode: 'SMS_2', TemplateParam: '' }]);
  });

  it('refuses what is signed otherwise, late, or sent twice, and shows the text that it built', async () => {
    for (const request of [rpc, acs3]) {
      const wrong = await send(request, { secret: 'other' });
      assert.equal(wrong.code, 'SignatureDoesNotMatch');
      assert.match(wrong.message, /server .*string ?to ?sign is:/i);
      assert.equal(
        (await send(request, { signedAt: new Date(at.getTime() - 901_000) })).code,
        'InvalidTimeStamp.Expired',
      );
      assert.equal((await send(request, { again: 2 })).code, 'SignatureNonceUsed');
    }
    const missing = await send({ ...rpc, parameters: { Version: '2017-05-25' } });
    assert.equal(missing.code, 'MissingPhoneNumbers');
    gateway.admit({ ...account, accessKeyId: 'LTAI' });
    assert.equal((await send(rpc)).code, 'InvalidAccessKeyId.NotFound');
  });
});

describe('what WeChat Pay v2 posts', () => {
  const apiV2Key = '0123456789abcdef0123456789abcdef';

  it('is signed as the SDK signs it, by MD5 and by HMAC-SHA256', () => {
    for (const signType of [undefined, 'MD5', 'HMAC-SHA256'] as const) {
      const body = makeV2Notification({
        apiV2Key,
        parameters: { attach: '<附>', empty: '' },
        ...(signType && { signType }),
      });
      const { sign, ...parameters } = Object.fromEntries(readXml(body));
      assert.equal(sign, Hash.sign(signType ?? 'MD5', parameters, apiV2Key));
      assert.deepEqual([parameters['attach'], parameters['return_code']], ['<附>', 'SUCCESS']);
    }
  });

  it('is under the key for a refund', () => {
    const body = makeV2RefundNotification({ apiV2Key, parameters: { out_refund_no: '1' } });
    const { req_info: sealed = '' } = Object.fromEntries(readXml(body));
    const key = Hash.md5(apiV2Key);
    assert.match(Aes.AesEcb.decrypt(sealed, key), /<out_refund_no><!\[CDATA\[1\]\]>/);
  });
});
