// What Alipay says when it refuses a signature is read, and what was signed is built again without a key.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { alipayRefusals as refusals } from '../../../src/providers/alipay/refusal.ts';
import { compare } from '../../../src/providers/shared/comparison.ts';
import type { RequestToAuthorize } from '../../../src/providers/provider.ts';
import { startAlipayGateway } from '../../../src/testing/alipay-gateway.ts';
import { loadFit, makeMaterial, moment, now, send } from '../../support/alipay.ts';

const material = await makeMaterial();
const { authorize } = await loadFit(material.files);

async function sign(request: RequestToAuthorize) {
  return { body: request.body ?? Buffer.alloc(0), ...(await authorize(request, moment)) };
}

const gatewayCall = () =>
  sign({
    apiMethod: 'alipay.trade.query',
    bizContent: '{"out_trade_no":"单<1>"}',
    parameters: { notify_url: 'https://a/?b=1&c' },
  });
const restCall = () =>
  sign({
    method: 'POST',
    url: 'https://openapi.alipay.com/v3/alipay/trade/query',
    body: Buffer.from('{"a":1}'),
    appAuthToken: 'T1',
  });

const verifies = (text: string | undefined, signature: string) =>
  verify('sha256', Buffer.from(text ?? ''), material.app.publicKey, Buffer.from(signature, 'base64'));

const read = (value: object) => refusals.read(value) ?? assert.fail('not recognized');
const invalid = (sub_code: string, sub_msg = '') => read({ alipay_x_response: { code: '40002', sub_code, sub_msg } });

describe('the text that a request to Alipay signed', () => {
  it('is built again from what authorize answered, for v2', async () => {
    const sent = await gatewayCall();
    assert.ok(verifies(refusals.rebuild(sent), new URL(sent.url).searchParams.get('sign') ?? ''));
  });

  it('is built again from what authorize answered, for v3', async () => {
    const sent = await restCall();
    const signature = /,sign=(.*)$/.exec(sent.headers['Authorization'] ?? '')?.[1] ?? '';
    assert.ok(verifies(refusals.rebuild(sent), signature));
  });

  it('is not to be had from a request without its signature', () => {
    for (const headers of [{}, { Authorization: 'Bearer x' }])
      assert.equal(refusals.rebuild({ method: 'POST', url: '/?a=1', headers, body: Buffer.from('b=1') }), undefined);
  });
});

describe('an answer of Alipay', () => {
  it('that is what was asked for is no refusal', () => {
    assert.equal(refusals.read({ alipay_x_response: { code: '10000', msg: 'Success', trade_no: '1' } }), undefined);
  });
});

describe('a refusal of Alipay', () => {
  const gatewayOf = async (t: TestContext) => {
    const gateway = await startAlipayGateway({ material, now: () => now });
    t.after(() => gateway.close());
    return gateway.url;
  };

  it('by the gateway of the tests shows the parameter that changed on its way', async (t) => {
    const sent = await gatewayCall();
    const changed = { ...sent, body: Buffer.from(Buffer.from(sent.body).toString().replace('%3C', '%2520')) };
    const { text } = await send(await gatewayOf(t), changed);
    const { code, built } = read(JSON.parse(text) as object);
    const { difference } = compare(built, refusals.rebuild(sent) ?? '', refusals);
    assert.deepEqual([code, difference?.part, difference?.character], ['isv.invalid-signature', 'biz_content', 19]);
    assert.equal(compare(built, refusals.rebuild(changed) ?? '', refusals).difference, undefined);
  });

  it('of v3 shows the line that changed on its way', async (t) => {
    const sent = await restCall();
    const { text } = await send(await gatewayOf(t), { ...sent, body: Buffer.from('{"a":2}') });
    const { code, built } = read(JSON.parse(text) as object);
    const { difference, causes } = compare(built, refusals.rebuild(sent) ?? '', refusals);
    assert.deepEqual([code, difference?.part, causes[0]], ['invalid-signature', 'BODY', 'body']);
    // The gateway escapes quotation marks: they are not what changed.
    assert.equal(difference?.character, 6);
  });

  it('of v3 that came as it was signed is the key’s, whatever the gateway escapes in its echo', async () => {
    const sent = await restCall();
    const text = refusals.rebuild(sent) ?? '';
    for (const shown of [text, text.replaceAll('"', '&quot;')]) {
      const { built } = read({ code: 'invalid-signature', message: `网关生成的验签字符串为：${shown}` });
      assert.deepEqual(compare(built, text, refusals), { causes: ['key', 'environment', 'application'] });
    }
  });

  it('shows its text as it was built, where the gateway did not escape it', () => {
    const { built } = invalid('isv.invalid-signature', '网关生成的验签字符串为：a=&quot;&b=1');
    assert.deepEqual(built, [{ text: 'a=&quot;&b=1' }]);
  });

  it('says by its code what is wrong where no text is shown', () => {
    assert.deepEqual(invalid('isv.invalid-timestamp').certain, ['clock', 'time-format']);
    assert.deepEqual(invalid('isv.app-cert-not-exist').certain, ['application', 'environment', 'key']);
    assert.deepEqual(read({ code: 'invalid-app-id', message: '' }).certain, ['application', 'environment']);
    assert.equal(invalid('isv.invalid-signature').possible[0], 'key');
    assert.deepEqual(invalid('toString').certain, []);
    assert.equal(read({ error_response: { code: '20000' } }).code, '20000');
  });

  it('is told from what others answer', () => {
    for (const value of [
      {},
      { code: 'SIGN_ERROR', message: '' },
      { Code: 'A', Message: '' },
      { a_response: 1, b_response: 2 },
    ])
      assert.equal(refusals.read(value), undefined);
  });

  it('with any content is read or is none', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (node) => {
        refusals.read({ alipay_x_response: node });
        refusals.read(node);
      }),
    );
  });
});
