// A nonce and a time that somebody gives are signed as each platform has them: UUIDs and milliseconds where it does, and refused or cut where it does not.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { platforms } from '../../src/providers/registry.ts';
import { createAlipayMaterial } from '../../src/testing/alipay-material.ts';
import { type ApiServer, makeMaterial, startApi, verdictOf } from '../support/api-server.ts';

const uuid = '6ba7b810-9dad-41d1-80b4-00c04fd430c8';
const now = new Date(1_772_323_200_123);
const moment = { now, nonce: uuid };

describe('a UUID as nonce', () => {
  it('is what Alipay v3 signs, with the time in milliseconds', async () => {
    const appId = '2021000000000001';
    const { files } = await createAlipayMaterial({ appId, now });
    const { operations } = await platforms.alipay.create({ appId, mode: 'certificate' }).load(files);
    const request = { method: 'GET', url: '/v3/alipay/trade/query' };
    const { headers } = await operations.authorize!(request, moment);
    assert.match(headers['Authorization'] ?? '', new RegExp(`,nonce=${uuid},timestamp=1772323200123,sign=`));
  });

  it('is what Aliyun signs, in both of its signatures', async () => {
    const material = { access_key_id: 'LTAI5tExampleExample', access_key_secret: 'e'.repeat(30) };
    const data = new Map(Object.entries(material).map(([name, value]) => [name, Buffer.from(value)]));
    const { operations } = await platforms.aliyun.create({}).load(data);
    const url = 'https://dysmsapi.aliyuncs.com/';
    const action = { 'x-acs-action': 'SendSms', 'x-acs-version': '2017-05-25' };
    const acs3 = await operations.authorize!({ method: 'POST', url, headers: action }, moment);
    assert.equal(acs3.headers['x-acs-signature-nonce'], uuid);
    const parameters = { Version: '2017-05-25', PhoneNumbers: '13900000000' };
    const rpc = await operations.authorize!({ method: 'GET', url, apiMethod: 'SendSms', parameters }, moment);
    assert.equal(new URL(rpc.url).searchParams.get('SignatureNonce'), uuid);
  });

  it('is refused by name for WeChat Pay v2, whose gateway takes none', async () => {
    const data = new Map([['apiv2_key', Buffer.from('k'.repeat(32))]]);
    const { operations } = await platforms.wechatpayV2.create({ merchantId: '1900000001' }).load(data);
    const request = { url: '/pay/orderquery', parameters: { out_trade_no: '1' } };
    await assert.rejects(operations.authorize!(request, moment), { code: 'request-invalid', field: 'nonce' });
  });
});

describe('the local API', () => {
  let api: ApiServer;
  before(async () => {
    api = await startApi({ shop: { files: (await makeMaterial()).files } });
  });
  after(() => api[Symbol.asyncDispose]());
  const authorize = (about: object) => api.post('authorize', { method: 'GET', url: '/v3/certificates', ...about });

  it('refuses a UUID for WeChat Pay APIv3, and says what it takes', async () => {
    const reply = await authorize({ nonce: uuid });
    assert.deepEqual(verdictOf(reply), [400, 'request-invalid']);
    assert.match(String(reply.body['detail']), /32 letters and digits at most, without hyphens/);
  });

  it('reads thirteen digits as milliseconds, of which WeChat Pay signs the second', async () => {
    for (const timestamp of [1_772_323_200, 1_772_323_200_123]) {
      const { body } = await authorize({ timestamp, nonce: 'n' });
      const { Authorization } = body['headers'] as { Authorization: string };
      assert.match(Authorization, /timestamp="1772323200"/);
    }
  });

  it('refuses what is longer than a UUID or holds other characters', async () => {
    for (const nonce of ['x'.repeat(65), 'a b', 'a"b', ''])
      assert.deepEqual(verdictOf(await authorize({ nonce })), [400, 'request-invalid']);
  });
});
