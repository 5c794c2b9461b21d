// adapters/node with the real SDKs: a program that holds no key orders, refunds, uploads, downloads, and trusts nothing that does not verify.
import assert from 'node:assert/strict';
import { createHash, verify } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { it } from 'node:test';
import { Multipart } from 'wechatpay-axios-plugin';
import { PaycertAlipay } from '../../adapters/node/alipay-sdk.js';
import { Paycert } from '../../adapters/node/paycert.js';
import { createWechatpay } from '../../adapters/node/wechatpay-axios-plugin.js';
import { PaycertPay } from '../../adapters/node/wechatpay-node-v3.js';
import { encryptField, makeAlipayNotification, makeNotification } from '../../src/testing/index.ts';
import { startResigning } from '../support/resigning.ts';
import { startSdkWorld } from '../support/sdk-world.ts';
import { merchantId } from '../support/sidecar.ts';
import { alipayCalls, realKeys, smsCalls, wechatPayCalls } from './node-as-they-are.ts';

const picture = Buffer.from([0xff, 0xd8, 0, 13, 10, 0xff, 0xd9]);
const meta = { filename: 'a.jpg', sha256: createHash('sha256').update(picture).digest('hex') };
const day = '2026-01-01';

const order = (number: string) => ({
  ...{ mchid: merchantId, appid: 'wx1', description: '手机 +%&=', out_trade_no: number, amount: { total: 1 } },
  ...{ notify_url: 'https://shop.example/paid', payer: { openid: 'o1' } },
});
const refund = (number: string) => ({
  ...{ out_trade_no: number, out_refund_no: `R${number}`, amount: { refund: 1, total: 1, currency: 'CNY' } },
});

interface Answer {
  readonly status: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What the SDKs and the local API leave untyped. */
const fieldsOf = (value: unknown): Readonly<Record<string, string>> => value as Readonly<Record<string, string>>;

it('the adapters of adapters/node', { timeout: 900_000 }, async (suite) => {
  const world = await startSdkWorld(suite);
  const { running, platforms } = world;
  const paycertOf = (credential: string) => new Paycert({ credential, socket: running.sidecar.socket });
  const paycert = paycertOf('wechat-main');

  const whileNothingVerifies = async (run: () => Promise<unknown>) => {
    await world.setStranger(true);
    return run().finally(() => world.setStranger(false));
  };

  const { client } = createWechatpay({ paycert, mchid: merchantId, baseURL: `${platforms.wechat.url}/` });
  const call = async (path: string, method: string, data?: object, config?: object): Promise<Answer> =>
    client.request(`v3/${path}`, method, data, config);

  await suite.test('wechatpay-axios-plugin orders, queries, refunds, closes, uploads and downloads', async () => {
    const paid = await call('pay/transactions/jsapi', 'POST', order('N1'));
    assert.match(String(paid.data['prepay_id']), /^wx/);
    const params = { mchid: merchantId };
    const query = () => call('pay/transactions/out-trade-no/N1', 'GET', undefined, { params });
    assert.equal((await query()).data['trade_state'], 'NOTPAY');
    platforms.wechat.pay(merchantId, 'N1');
    assert.equal((await query()).data['trade_state'], 'SUCCESS');
    assert.equal((await call('refund/domestic/refunds', 'POST', refund('N1'))).data['out_refund_no'], 'RN1');
    await call('pay/transactions/native', 'POST', order('N2'));
    assert.equal((await call('pay/transactions/out-trade-no/N2/close', 'POST', { mchid: merchantId })).status, 204);
    assert.ok(Array.isArray((await call('certificates', 'GET')).data['data']));
    const form = new Multipart();
    form.append('meta', JSON.stringify(meta)).append('file', picture, 'a.jpg');
    assert.ok(
      (await call('merchant/media/upload', 'POST', form.getBuffer(), { meta, headers: form.getHeaders() })).data[
        'media_id'
      ],
    );
    const bill = (await call('bill/tradebill', 'GET', undefined, { params: { bill_date: day } })).data;
    const token = new URL(String(bill['download_url'])).searchParams.get('token');
    for (const responseType of ['arraybuffer', 'stream']) {
      const { data } = await call('billdownload/file', 'GET', undefined, { params: { token }, responseType });
      const bytes = Buffer.isBuffer(data) ? data : await buffer(data as unknown as Readable);
      assert.equal(createHash('sha1').update(bytes).digest('hex'), bill['hash_value'], responseType);
    }
  });

  await suite.test('wechatpay-axios-plugin hands on no success that the platform did not sign', async () => {
    const refused = whileNothingVerifies(() => call('pay/transactions/jsapi', 'POST', order('N3')));
    await assert.rejects(refused, { code: 'key-id-unknown', status: 422 });
    const unread = call('certificates', 'GET', undefined, { responseType: 'stream' });
    await assert.rejects(unread, { code: 'signature-invalid' });
    await assert.rejects(call('refund/domestic/refunds', 'POST', refund('none')), (error: { response?: Answer }) => error.response?.status === 404); // prettier-ignore
  });

  await suite.test('wechatpay-node-v3 does the same, and signs what it hands to the paying client', async () => {
    const pay = new PaycertPay({ paycert, appid: 'wx1', mchid: merchantId, origin: platforms.wechat.url });
    const { appid: _, mchid: __, ...rest } = order('M1');
    const ordered = await pay.transactions_jsapi(rest);
    assert.equal(ordered.status, 200);
    const { appId, timeStamp, nonceStr, package: prepay, paySign = '' } = fieldsOf(ordered.data);
    const text = [appId, timeStamp, nonceStr, prepay, ''].join('\n');
    const { publicKey } = running.wechat.merchant;
    assert.ok(verify('sha256', Buffer.from(text), publicKey, Buffer.from(paySign, 'base64')));
    const inApp = fieldsOf((await pay.transactions_app({ ...rest, out_trade_no: 'M2' })).data);
    const appText = [inApp['appid'], inApp['timestamp'], inApp['noncestr'], inApp['prepayid'], ''].join('\n');
    assert.ok(verify('sha256', Buffer.from(appText), publicKey, Buffer.from(inApp['sign'] ?? '', 'base64')));
    platforms.wechat.pay(merchantId, 'M1');
    assert.equal(fieldsOf((await pay.query({ out_trade_no: 'M1' })).data)['trade_state'], 'SUCCESS');
    assert.equal((await pay.refunds(refund('M1'))).data?.out_refund_no, 'RM1');
    assert.equal((await pay.close('M2')).status, 204);
    const bill = fieldsOf((await pay.tradebill({ bill_date: day, bill_type: 'ALL' })).data);
    const lines: unknown = (await pay.downloadBill(bill['download_url'] ?? '')).data;
    assert.equal(createHash('sha1').update(String(lines)).digest('hex'), bill['hash_value']);
    assert.ok(fieldsOf((await pay.upload_images(picture, 'a.jpg')).data)['media_id']);
    const refused = await pay.refunds(refund('none'));
    assert.deepEqual([refused.status, refused.data], [404, undefined]);
    await assert.rejects(
      whileNothingVerifies(() => pay.query({ out_trade_no: 'M1' })),
      { code: 'key-id-unknown' },
    );
    assert.throws(() => pay.decipher_gcm(), /paycert\.notification/);
  });

  await suite.test('opens notifications and fields, and encrypts for the platform', async () => {
    const { platformKeys, apiV3Key, merchant } = running.wechat;
    const posted = makeNotification({ platformKey: platformKeys[0]!, apiV3Key, now: new Date(), resource: { out_trade_no: 'N1' } }); // prettier-ignore
    assert.deepEqual(fieldsOf(await paycert.notification(posted))['resource'], { out_trade_no: 'N1' });
    const forged = { ...posted, body: posted.body.toString().replace('ciphertext', 'ciphertexu') };
    await assert.rejects(paycert.notification(forged), { code: 'signature-invalid' });
    assert.equal(await paycert.decrypt(encryptField(merchant.publicKey, '张三')), '张三');
    const { ciphertext = '', keyId } = fieldsOf(await paycert.encrypt('张三'));
    assert.ok(ciphertext.length > 300 && platformKeys.some((key) => key.keyId === keyId));
  });

  await suite.test('alipay-sdk calls v2 and v3 through the proxy, and its strings and pages are signed', async () => {
    const { alipayKeys, appId } = running.alipay;
    const alipay = new PaycertAlipay({
      ...{ paycert: paycertOf('alipay-main'), proxy: world.proxied('alipay-main'), appId },
      alipayPublicKey: world.env['ALIPAY_PUBLIC_KEY']!,
    });
    const bizContent = { outTradeNo: 'A1', totalAmount: '9.00', subject: '手机 +%&=' };
    for (const method of ['alipay.trade.pay', 'alipay.trade.query', 'alipay.trade.refund', 'alipay.trade.close']) {
      const { code } = await alipay.exec(method, { bizContent }, { validateSign: true });
      assert.equal(code, '10000', method);
    }
    assert.equal((await alipay.curl('POST', '/v3/alipay/trade/query', { body: { out_trade_no: 'A1' } })).responseHttpStatus, 200); // prettier-ignore
    const page = { bizContent: { ...bizContent, outTradeNo: 'A2' }, returnUrl: 'https://shop.example/back?a=1&b=2' };
    const url = new URL(await alipay.pageUrl('alipay.trade.page.pay', page));
    assert.deepEqual([url.host, url.searchParams.get('return_url')], ['openapi.alipay.com', page.returnUrl]);
    const opened = await fetch(`${platforms.alipay.url}${url.pathname}${url.search}`, { redirect: 'manual' });
    assert.equal(opened.status, 302);
    const string = await alipay.orderString('alipay.trade.app.pay', {
      bizContent: { ...bizContent, outTradeNo: 'A3' },
    });
    assert.equal(fieldsOf(JSON.parse(new URLSearchParams(string).get('biz_content') ?? ''))['out_trade_no'], 'A3');
    assert.match(await alipay.pageForm('alipay.trade.page.pay', page), /^<form /);
    const { body } = makeAlipayNotification({
      alipayKey: alipayKeys[0]!,
      parameters: { app_id: appId, trade_no: '1' },
    });
    const { resource } = fieldsOf(await paycertOf('alipay-main').notification({ body }));
    assert.equal(fieldsOf(resource)['trade_no'], '1');
    assert.throws(() => alipay.sdkExecute(), /orderString/);
  });

  await suite.test('says why it is refused, and takes the sidecar at an address with a token', async () => {
    await assert.rejects(paycertOf('nowhere').ask('sign', { message: 'x' }), {
      code: 'credential-unknown',
      status: 404,
    });
    const overTcp = (token: string) =>
      new Paycert({ credential: 'wechat-main', url: `http://${running.sidecar.tcp}`, token });
    assert.ok(fieldsOf(await overTcp('a-token-for-tests-only').ask('sign', { message: 'x' }))['signature']);
    await assert.rejects(overTcp('another-token-altogether').ask('sign', { message: 'x' }), { status: 401 });
  });

  await suite.test(
    'as they are, SDKs make every call through the proxy, and verify with the platforms’ keys',
    async () => {
      const given = realKeys(world);
      await wechatPayCalls(world, given, 'S');
      await alipayCalls(given, running.alipay.appId, 'S1');
      await smsCalls(world, given);
    },
  );

  await suite.test('as they are, SDKs that were given a throw-away identity verify with that alone', async (t) => {
    const { given, proxied } = await startResigning(t, world);
    const local = { proxied, certs: { [given('pub_key_id')]: given('pub_key.pem') }, alipayPublicKey: given('alipay_public_key'), alipaySerial: world.env['ALIPAY_CERT_SN']! }; // prettier-ignore
    await wechatPayCalls(world, local, 'L');
    await alipayCalls(local, running.alipay.appId, 'L1');
  });
});
