// The SDKs of Node as they are, each with a base URL of the proxy and a key that was made here: every call of docs/proxy.md's list.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import RPCClient from '@alicloud/pop-core/lib/rpc.js';
import { AlipayFormData, AlipaySdk } from 'alipay-sdk';
import { Decorator, Multipart } from 'wechatpay-axios-plugin';
import { toSpkiPem } from '../../src/testing/key-pair.ts';
import type { SdkWorld } from '../support/sdk-world.ts';
import { merchantId } from '../support/sidecar.ts';

/** Where an SDK sends to, and what it verifies with by itself. */
export interface Given {
  readonly proxied: (credential: string) => string;
  /** Of WeChat Pay, by id. */
  readonly certs: Readonly<Record<string, string>>;
  readonly alipayPublicKey: string;
  /** Of the certificate that Alipay signs with. */
  readonly alipaySerial: string;
}

export const realKeys = ({ proxied, running: { wechat }, env }: SdkWorld): Given => ({
  proxied,
  certs: Object.fromEntries(wechat.platformKeys.map(({ keyId, publicKey }) => [keyId, toSpkiPem(publicKey)])),
  alipayPublicKey: env['ALIPAY_PUBLIC_KEY']!,
  alipaySerial: env['ALIPAY_CERT_SN']!,
});

const throwAway = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey;

const picture = Buffer.from([0xff, 0xd8, 0, 13, 10, 0xff, 0xd9]);
const sha256 = createHash('sha256').update(picture).digest('hex');
const day = '2026-01-01';

type Answer = Readonly<Record<string, unknown>>;

/** wechatpay-axios-plugin: `prefix` of order numbers, which nobody else uses. */
export async function wechatPayCalls({ platforms }: SdkWorld, given: Given, prefix: string): Promise<void> {
  const sdk = new Decorator({
    ...{ baseURL: `${given.proxied('wechat-main')}/`, mchid: merchantId, serial: 'ABCDEF', privateKey: throwAway() },
    certs: { ...given.certs },
  });
  const call = async (path: string, method: string, body?: object, config?: object): Promise<Answer> =>
    (await sdk.request<Answer>(`v3/${path}`, method, body, config)).data;
  const [paid, closed] = [`${prefix}1`, `${prefix}2`];
  const order = { mchid: merchantId, appid: 'wx1', description: '手机', amount: { total: 1 }, notify_url: 'https://shop.example/paid' }; // prettier-ignore
  for (const number of [paid, closed]) {
    const { code_url: url } = await call('pay/transactions/native', 'POST', { ...order, out_trade_no: number });
    assert.match(String(url), /^weixin:/);
  }
  platforms.wechat.pay(merchantId, paid);
  const params = { mchid: merchantId };
  const { trade_state: state } = await call(`pay/transactions/out-trade-no/${paid}`, 'GET', undefined, { params });
  assert.equal(state, 'SUCCESS');
  const refund = { out_trade_no: paid, out_refund_no: `R${paid}`, amount: { refund: 1, total: 1, currency: 'CNY' } };
  assert.equal((await call('refund/domestic/refunds', 'POST', refund))['out_refund_no'], `R${paid}`);
  const ended = await sdk.request(`v3/pay/transactions/out-trade-no/${closed}/close`, 'POST', { mchid: merchantId });
  assert.equal(ended.status, 204);
  const { data } = await call('certificates', 'GET');
  assert.ok(Array.isArray(data) && data.length > 0);
  const [form, meta] = [new Multipart(), { filename: 'a.jpg', sha256 }];
  form.append('meta', JSON.stringify(meta)).append('file', picture, 'a.jpg');
  const upload = { meta, headers: form.getHeaders() };
  assert.ok((await call('merchant/media/upload', 'POST', form.getBuffer(), upload))['media_id']);
  const bill = await call('bill/tradebill', 'GET', undefined, { params: { bill_date: day } });
  const { pathname, search } = new URL(String(bill['download_url']));
  const { data: bytes } = await sdk.request<Buffer>(`${pathname.slice(1)}${search}`, 'GET', undefined, {
    responseType: 'arraybuffer',
    // It is unsigned by design: its hash was signed.
    transformResponse: [(content: Buffer) => content],
  });
  assert.equal(createHash('sha1').update(bytes).digest('hex'), bill['hash_value']);
}

/** alipay-sdk, v2 and v3. */
export async function alipayCalls(given: Given, appId: string, number: string): Promise<void> {
  const base = given.proxied('alipay-main');
  const sdk = new AlipaySdk({
    ...{ appId, privateKey: throwAway(), keyType: 'PKCS8', gateway: `${base}/gateway.do`, endpoint: base },
    alipayPublicKey: given.alipayPublicKey,
  });
  const bizContent = { out_trade_no: number, total_amount: '9.00', refund_amount: '9.00', subject: '手机 +%&=' };
  const calls: Readonly<Record<string, object>> = {
    'alipay.trade.pay': bizContent,
    'alipay.trade.query': bizContent,
    'alipay.trade.refund': bizContent,
    'alipay.trade.close': bizContent,
    'alipay.open.app.alipaycert.download': { alipay_cert_sn: given.alipaySerial },
    'alipay.data.dataservice.bill.downloadurl.query': { bill_type: 'trade', bill_date: day },
  };
  for (const [method, content] of Object.entries(calls))
    assert.equal((await sdk.exec(method, { bizContent: content }, { validateSign: true })).code, '10000', method);
  const form = new AlipayFormData();
  form.addField('image_type', 'jpg');
  form.addField('image_name', '海底捞');
  form.addFile('image_content', 'a.jpg', picture);
  const image = await sdk.exec('alipay.offline.material.image.upload', {}, { formData: form, validateSign: true });
  assert.equal(image.code, '10000');
  const v3: readonly ['GET' | 'POST', string, object][] = [
    ['POST', 'trade/pay', { body: bizContent }],
    ['POST', 'trade/query', { body: bizContent }],
    ['POST', 'trade/refund', { body: bizContent }],
    ['POST', 'trade/close', { body: bizContent }],
    ['GET', 'data/dataservice/bill/downloadurl/query', { query: { bill_type: 'trade', bill_date: day } }],
  ];
  for (const [method, path, options] of v3)
    assert.equal((await sdk.curl(method, `/v3/alipay/${path}`, options)).responseHttpStatus, 200, path);
  const posted = new AlipayFormData();
  posted.addFile('file_content', 'a.jpg', picture);
  const uploaded = await sdk.curl('POST', '/v3/alipay/open/file/upload', { form: posted, body: { biz_code: 'x' } });
  assert.equal(uploaded.responseHttpStatus, 200);
}

/** @alicloud/pop-core: what it sends is not signed on its way back. */
export async function smsCalls({ platforms }: SdkWorld, { proxied }: Given): Promise<void> {
  const sdk = new RPCClient({
    ...{ endpoint: proxied('sms'), accessKeyId: 'paycert', accessKeySecret: 'paycert', apiVersion: '2017-05-25' },
  });
  const message = { PhoneNumbers: '13800000000', SignName: '店', TemplateCode: 'SMS_1', TemplateParam: '{"code":"1"}' };
  assert.equal((await sdk.request<{ Code: string }>('SendSms', message, { method: 'POST' })).Code, 'OK');
  assert.equal(platforms.aliyun.sent.at(-1)?.PhoneNumbers, message.PhoneNumbers);
  const query = { PhoneNumber: message.PhoneNumbers, SendDate: '20260101', PageSize: 1, CurrentPage: 1 };
  assert.ok((await sdk.request<{ RequestId: string }>('QuerySendDetails', query)).RequestId);
}
