// WeChat Pay v2 against the platform's SDK for Node: what it sends we verify, what we sign it accepts, what it refuses we refuse.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { Decorator, Hash, Transformer } from 'wechatpay-axios-plugin';
import type { PaycertError } from '../../../src/errors.ts';
import { wechatpayV2 } from '../../../src/providers/wechatpay-v2/provider.ts';
import { readXml, writeXml } from '../../../src/providers/wechatpay-v2/xml.ts';
import { listenOnLoopback, type ReceivedRequest } from '../../../src/testing/loopback.ts';
import { filesOf } from '../../support/directories.ts';
import { merchantId, now } from '../../support/wechatpay.ts';

const key = randomBytes(16).toString('hex');
const { operations } = await wechatpayV2({ merchantId }).load(filesOf({ apiv2_key: key }));
const { authorize, verify } = operations;
assert.ok(authorize && verify);

const nonce = '0123456789abcdef0123456789abcdef';
const url = 'https://api.mch.weixin.qq.com/pay/unifiedorder';
const xml = (parameters: Record<string, string>): Buffer => Buffer.from(writeXml(Object.entries(parameters)));
const signed = (parameters: Record<string, string>, type: 'MD5' | 'HMAC-SHA256' = 'MD5'): Buffer =>
  xml({ ...parameters, sign: Hash.sign(type, parameters, key) });

describe('the platform’s SDK, v2', () => {
  for (const type of ['MD5', 'HMAC-SHA256'] as const)
    it(`sends what we verify and takes our signature for the platform’s: ${type}`, async () => {
      const received: ReceivedRequest[] = [];
      const parameters = { return_code: 'SUCCESS', result_code: 'SUCCESS', body: '<茶> & more', sign_type: type };
      // The key is both sides': what we sign as the merchant is an answer of the platform's to whoever holds it.
      const { body: answer } = await authorize({ url, parameters }, { now, nonce });
      const server = await listenOnLoopback(0, (request) => {
        received.push(request);
        return { status: 200, headers: { 'Content-Type': 'text/xml' }, body: answer! };
      });
      const client = Decorator.xmlBased({ mchid: merchantId, secret: key });
      const order = { mch_id: merchantId, body: '<茶> & more', sign_type: type, attach: '' };
      const { data } = await client.post<Record<string, string>>(`${server.url}/pay/unifiedorder`, order);
      await server.close();
      assert.equal(data['body'], '<茶> & more');

      const sent = received[0]!.body;
      assert.ok(await verify({ kind: 'notification', body: sent }, now));
      const { sign, ...theirs } = Object.fromEntries(readXml(sent));
      const { nonce_str: own = '', ...given } = theirs;
      const ours = await authorize({ url, parameters: given }, { now, nonce: own });
      // We leave out what is empty, and both sign without it.
      const filled = Object.entries({ ...theirs, sign }).filter(([, value]) => value !== '');
      assert.deepEqual(Object.fromEntries(readXml(ours.body!)), Object.fromEntries(filled));
    });

  /** What the SDK does with an answer: reads the XML, then judges it. An error that it returns is its no. */
  const accepts = (path: string, body: Uint8Array): boolean => {
    const steps = new Transformer(undefined, key).response as unknown as ((
      this: { url: string },
      data: unknown,
      headers: object,
      status: number,
    ) => unknown)[];
    let data: unknown = Buffer.from(body).toString();
    for (const step of steps) data = step.call({ url: path }, data, {}, 200);
    return !(data instanceof Error);
  };

  const judge = (path: string, body: Uint8Array): Promise<string> =>
    verify({ kind: 'response', url: `https://api.mch.weixin.qq.com${path}`, status: 200, body }, now).then(
      () => 'valid',
      (error: unknown) => (error as PaycertError).code,
    );

  const success = { return_code: 'SUCCESS', result_code: 'SUCCESS', prepay_id: '你 好' };

  it('judges answers as we do', async () => {
    const path = '/pay/unifiedorder';
    for (const [body, code] of [
      [signed(success), 'valid'],
      [signed(success, 'HMAC-SHA256'), 'valid'],
      [xml({ ...success, sign: Hash.sign('MD5', { ...success, prepay_id: 'x' }, key) }), 'signature-invalid'],
      [xml({ ...success, sign: '0'.repeat(32) }), 'signature-invalid'],
      [xml({ ...success, sign: '' }), 'signature-missing'],
      [xml({ return_code: 'FAIL', return_msg: 'no' }), 'response-unsigned'],
    ] as const) {
      assert.equal(await judge(path, body), code);
      assert.equal(accepts(path, body), code === 'valid', code);
    }
  });

  for (const path of [
    '/mchrisk/querymchrisk',
    '/mchrisk/setmchriskcallback',
    '/mchrisk/syncmchriskresult',
    '/mmpaymkttransfers/gethbinfo',
    '/mmpaymkttransfers/gettransferinfo',
    '/mmpaymkttransfers/promotion/paywwsptrans2pocket',
    '/mmpaymkttransfers/promotion/querywwsptrans2pocket',
    '/mmpaymkttransfers/promotion/transfers',
    '/mmpaymkttransfers/sendminiprogramhb',
    '/mmpaymkttransfers/sendredpack',
    '/mmpaysptrans/pay_bank',
    '/mmpaysptrans/query_bank',
    '/pay/downloadbill',
    '/pay/downloadfundflow',
    '/payitil/report',
    '/risk/getpublickey',
    '/risk/getviolation',
    '/secapi/mch/submchmanage',
    '/xdc/apiv2getsignkey/sign/getsignkey',
  ])
    it(`knows with us that WeChat Pay does not sign the answers of ${path}`, async () => {
      assert.ok(accepts(path, xml(success)));
      assert.equal(await judge(path, xml(success)), 'response-unsigned');
      // The name of another one that ends alike proves nothing.
      assert.equal(accepts(`/x${path}`, xml(success)), false);
      assert.equal(await judge(`/x${path}`, xml(success)), 'signature-missing');
    });
});
