// What Aliyun says when it refuses a signature is read, and what was signed is built again without a key.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { aliyun } from '../../../src/providers/aliyun/provider.ts';
import { aliyunRefusals as refusals } from '../../../src/providers/aliyun/refusal.ts';
import { compare } from '../../../src/providers/shared/comparison.ts';
import type { RequestToAuthorize } from '../../../src/providers/provider.ts';

const secret = 'OtxrzxIsfpFjA7SwPzILwy8Bw21TLh';
const body = Buffer.from('{"a":"张"}');

async function authorize(request: RequestToAuthorize) {
  const data = new Map([
    ['access_key_id', Buffer.from('LTAI5tExample')],
    ['access_key_secret', Buffer.from(secret)],
  ]);
  const { authorize: sign } = (await aliyun().load(data)).operations;
  assert.ok(sign);
  const moment = { now: new Date('2026-03-01T00:00:00Z'), nonce: '0123456789abcdef0123456789abcdef' };
  return { body: request.body ?? Buffer.alloc(0), ...(await sign(request, moment)) };
}

const rpc = (method: string) =>
  authorize({
    method,
    url: 'https://dysmsapi.aliyuncs.com/',
    apiMethod: 'SendSms',
    parameters: { Version: '2017-05-25', TemplateParam: `{"code":"a b+c!'()*~"}` },
  });

const acs3 = () =>
  authorize({
    method: 'POST',
    url: 'https://ecs.cn-shanghai.aliyuncs.com/?RegionId=cn%20b&A=',
    apiMethod: 'DescribeInstances',
    headers: { 'x-acs-version': '2014-05-26' },
    body,
  });

const read = (value: object) => refusals.read(value) ?? assert.fail('not recognized');
const mismatch = (Message: string) => read({ Code: 'SignatureDoesNotMatch', Message });
const words = 'Specified signature is not matched with our calculation. server string to sign is:';

describe('the text that a request to Aliyun signed', () => {
  for (const method of ['GET', 'POST'])
    it(`is built again from what authorize answered, for RPC by ${method}`, async () => {
      const sent = await rpc(method);
      const form = method === 'GET' ? new URL(sent.url).search : Buffer.from(sent.body).toString();
      const signature = createHmac('sha1', `${secret}&`).update(refusals.rebuild(sent) ?? '');
      assert.equal(new URLSearchParams(form).get('Signature'), signature.digest('base64'));
    });

  it('is built again from what authorize answered, for ACS3', async () => {
    const sent = await acs3();
    const hash = createHash('sha256')
      .update(refusals.rebuild(sent) ?? '')
      .digest('hex');
    const signature = createHmac('sha256', secret).update(`ACS3-HMAC-SHA256\n${hash}`).digest('hex');
    assert.ok(sent.headers['Authorization']?.endsWith(`Signature=${signature}`));
  });

  it('is not to be had from a request without its signature', () => {
    for (const headers of [{}, { Authorization: 'Bearer x' }, { Authorization: 'ACS3-HMAC-SHA256 Credential=x' }])
      assert.equal(refusals.rebuild({ method: 'POST', url: '/', headers, body: Buffer.from('a=1') }), undefined);
  });
});

describe('a refusal of Aliyun', () => {
  it('shows the parameter that was encoded in another way', async () => {
    const signed = refusals.rebuild(await rpc('POST')) ?? '';
    const { built } = mismatch(`${words}${signed}`);
    assert.equal(compare(built, signed, refusals).difference, undefined);
    const { difference, causes } = compare(built, signed.replaceAll('%2520', '%2B'), refusals);
    assert.deepEqual([difference?.part, causes], ['TemplateParam', ['encoding']]);
  });

  it('shows the header or the body that arrived otherwise', async () => {
    const signed = refusals.rebuild(await acs3()) ?? '';
    const says = (canonical: string) =>
      mismatch(
        `Specified signature does not match our calculation. server StringToSign is [ACS3-HMAC-SHA256\n00] server CanonicalRequest is [${canonical}]`,
      ).built;
    const part = (canonical: string) => {
      const { difference, causes } = compare(says(canonical), signed, refusals);
      return [difference?.part, causes[0]];
    };
    assert.deepEqual(part(signed), [undefined, 'access-key']);
    assert.deepEqual(part(signed.replace('application/json', 'text/plain')), ['content-type', 'header']);
    assert.deepEqual(part(signed.replace(/[0-9a-f]{64}$/, '0')), ['BODY HASH', 'body']);
    assert.deepEqual(part(signed.replace('RegionId=cn%20b', 'RegionId=cn')), ['RegionId', 'parameter']);
  });

  it('says by its code what is wrong where no text is shown', () => {
    const certain = (Code: string) => read({ Code, Message: 'no' }).certain;
    assert.deepEqual(certain('InvalidTimeStamp.Expired'), ['clock', 'time-format']);
    assert.deepEqual(certain('InvalidTimeStamp.Format'), ['time-format']);
    assert.deepEqual(certain('SignatureNonceUsed'), ['another-attempt']);
    assert.deepEqual(certain('InvalidAccessKeyId.NotFound'), ['access-key-id']);
    assert.deepEqual(certain('InvalidAccessKeySecret'), ['access-key']);
    assert.equal(mismatch('no').possible[0], 'access-key');
    assert.deepEqual(certain('Throttling.User'), []);
  });

  it('also shows its text where only the recommendation holds it', () => {
    const { built } = read({ Code: 'SignatureDoesNotMatch', Message: 'no', Recommend: `${words}GET&%2F&a%3D1` });
    assert.deepEqual(built, [{ text: 'GET&%2F&a%3D1' }]);
  });

  it('with any message is read', () => {
    fc.assert(fc.property(fc.string(), (text) => mismatch(`${words}${text}`).built.length <= 1));
  });
});
