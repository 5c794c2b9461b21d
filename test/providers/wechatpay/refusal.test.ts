// What WeChat Pay says when it refuses a signature is read, and what was signed is built again without a key.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compare } from '../../../src/providers/shared/comparison.ts';
import { wechatpayRefusals as refusals } from '../../../src/providers/wechatpay/refusal.ts';
import { startWechatpayGateway } from '../../../src/testing/wechatpay-gateway.ts';
import { exchange } from '../../support/http-client.ts';
import { loadFit, makeMaterial, now } from '../../support/wechatpay.ts';

const material = await makeMaterial();
const body = Buffer.from('{"description":"手机","amount":{"total":1}}');
const nonce = '0123456789abcdef0123456789abcdef';

async function authorize() {
  const given = { method: 'POST', url: '/v3/pay/transactions/jsapi?a=1', body };
  const { authorize: sign } = await loadFit(material.files);
  return { ...(await sign(given, { now, nonce })), body };
}

const read = (value: object) => refusals.read(value) ?? assert.fail('not recognized');
const signError = (message: string, detail?: unknown) => read({ code: 'SIGN_ERROR', message, detail });

describe('the text that a request to WeChat Pay signed', () => {
  it('is built again from what authorize answered', async () => {
    const sent = await authorize();
    const signature = /signature="([^"]+)"/.exec(sent.headers['Authorization'] ?? '')?.[1] ?? '';
    const text = Buffer.from(refusals.rebuild(sent) ?? '');
    assert.ok(verify('sha256', text, material.merchant.publicKey, Buffer.from(signature, 'base64')));
  });

  it('is not to be had from a request without its Authorization', () => {
    for (const headers of [{}, { Authorization: 'Bearer x' }, { authorization: 'WECHATPAY2-SHA256-RSA2048 mchid="1"' }])
      assert.equal(refusals.rebuild({ method: 'GET', url: '/', headers, body }), undefined);
  });
});

describe('a refusal of WeChat Pay', () => {
  it('by the gateway of the tests is compared with what was signed', async (t) => {
    const gateway = await startWechatpayGateway({ now: () => now });
    t.after(() => gateway.close());
    gateway.admit(material);
    const sent = await authorize();
    const refuse = async (changed: Buffer) => {
      const { method, url: path, headers } = sent;
      const answer = await exchange(new URL(gateway.url).host, { method, path, headers, body: changed });
      assert.equal(answer.status, 401);
      return compare(read(JSON.parse(answer.text) as object).built, refusals.rebuild(sent) ?? '', refusals);
    };
    const { difference, causes } = await refuse(Buffer.from('{ "description":"手机","amount":{"total":1}}'));
    assert.deepEqual([difference?.part, difference?.character, causes[0]], ['BODY', 2, 'body']);
    assert.deepEqual((await refuse(Buffer.alloc(0))).causes, ['body-missing']);
    const longer = await refuse(Buffer.from('{"description":"手机","amount":{"total":100}}'));
    assert.deepEqual([longer.difference?.part, longer.causes[0]], ['BODY', 'body']);
  });

  it('says by its words what is wrong where no text is shown', () => {
    assert.deepEqual(signError('Http头Authorization中的timestamp与发起请求的时间不得超过5分钟').certain, [
      'clock',
      'time-format',
    ]);
    assert.deepEqual(signError('商户证书序列号有误。请使用签名私钥匹配的证书序列号').certain, [
      'serial-of-another-key',
      'key-replaced',
      'application',
    ]);
    assert.equal(signError('商户未申请过证书').certain[0], 'certificate-never-issued');
    assert.deepEqual(read({ code: 'APPID_MCHID_NOT_MATCH', message: '' }).certain, ['application']);
    assert.deepEqual(signError('签名错误').possible.slice(0, 2), ['body', 'url']);
  });

  it('that does not say how long its text is shows none: what was cut off could be what was not there', () => {
    for (const length of [undefined, 'text', -1, 0, 1.5, {}]) {
      const information = { truncated_sign_message: 'GET\n/\n1700000000\nn\n{"amount\n', sign_message_length: length };
      const refusal = refusals.read({ code: 'SIGN_ERROR', message: 'x', detail: { sign_information: information } });
      assert.deepEqual(refusal?.built, []);
    }
  });

  it('shows by the time that it repeats that it is in milliseconds', () => {
    const information = { truncated_sign_message: 'GET\n/\n1700000000000\nn\n\n', sign_message_length: 23 };
    assert.deepEqual(signError('', { sign_information: information }).certain, ['time-format']);
  });

  it('is told from what others answer', () => {
    for (const value of [
      {},
      { code: 1, message: '' },
      { code: 'invalid-signature', message: '' },
      { Code: 'A', Message: '' },
    ])
      assert.equal(refusals.read(value), undefined);
  });

  it('of any shape is read or is none', () => {
    const detail = fc.oneof(fc.jsonValue(), fc.record({ sign_information: fc.jsonValue() }));
    fc.assert(
      fc.property(detail, fc.string(), (given, message) => {
        assert.ok(refusals.read({ code: 'SIGN_ERROR', message, detail: given }));
      }),
    );
  });
});
