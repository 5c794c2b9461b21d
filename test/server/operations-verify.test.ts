// What verifies: answers, notifications, messages. Each refusal has its reason, and probes are counted apart.
import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { after, beforeEach, describe, it } from 'node:test';
import { makeNotification, makeProbe, type PlatformMessage, signMessage } from '../../src/testing/wechatpay-message.ts';
import { rotateApiV3Key } from '../../src/testing/wechatpay-material.ts';
import { makeMaterial, start, startApi, verdictOf } from '../support/api-server.ts';

const material = await makeMaterial();
const [oldest, newest, publicKey] = material.platformKeys;
const unverifiable = new Map([...material.files].filter(([name]) => !/^(wechatpay_|pub_key)/.test(name)));
const api = await startApi({ shop: { files: material.files } });
after(() => api[Symbol.asyncDispose]());
beforeEach(() => void api.events.splice(0));

const answer = signMessage(Buffer.from('{"a":"支付"}'), { platformKey: oldest!, now: start });
const input = ({ headers, body }: PlatformMessage, kind = 'response') => ({
  kind,
  headers,
  body: Buffer.from(body).toString(),
});
const withHeaders = (headers: Record<string, string>) =>
  input({ ...answer, headers: { ...answer.headers, ...headers } });
const unverified = () =>
  api.events.flatMap((event) => (event.type === 'unverified' ? [[event.kind, event.error.code]] : []));

describe('verify', () => {
  for (const platformKey of material.platformKeys) {
    const kindOfKey = platformKey.issued
      ? `certificate ${String(material.platformKeys.indexOf(platformKey) + 1)}`
      : 'the public key';
    it(`accepts what ${kindOfKey} signed, as an answer, a notification or a message`, async () => {
      const { headers } = signMessage(Buffer.from('{}'), { platformKey, now: start });
      const valid = { valid: true, keyId: platformKey.keyId };
      for (const kind of ['response', 'notification']) {
        assert.deepEqual((await api.post('verify', { kind, headers, body: '{}' })).body, valid);
      }
      const bytes = Buffer.from([1, 0xff]);
      const signature = sign('sha256', bytes, platformKey.privateKey).toString('base64');
      const message = { messageBase64: bytes.toString('base64'), signature, keyId: platformKey.keyId };
      assert.deepEqual((await api.post('verify', message)).body, valid);
    });
  }

  it('accepts header names in any case, bytes in base64 and an empty body', async () => {
    const lower = Object.fromEntries(Object.entries(answer.headers).map(([key, value]) => [key.toLowerCase(), value]));
    const bodyBase64 = Buffer.from(answer.body).toString('base64');
    assert.equal((await api.post('verify', { kind: 'response', headers: lower, bodyBase64 })).status, 200);
    const { headers } = signMessage(Buffer.alloc(0), { platformKey: newest!, now: start });
    assert.equal((await api.post('verify', { kind: 'response', headers, status: 204 })).status, 200);
  });

  const seconds = start.getTime() / 1000;
  const refusals: Readonly<Record<string, object>> = {
    'signature-invalid': { ...input(answer), body: '{}' },
    'key-id-unknown': withHeaders({ 'Wechatpay-Serial': 'ABCD' }),
    'signature-missing': withHeaders({ 'Wechatpay-Signature': '' }),
    'signature-algorithm-unsupported': withHeaders({ 'Wechatpay-Signature-Type': 'WECHATPAY2-SM2-WITH-SM3' }),
    'timestamp-outside-window': withHeaders({ 'Wechatpay-Timestamp': String(seconds - 301) }),
    'signature-probe': input(makeProbe(answer)),
  };
  it('refuses with 422 an answer that is never signed, and counts no failure', async () => {
    const download = { kind: 'response', headers: {}, url: '/v3/billdownload/file?token=x', body: 'a,b' };
    assert.deepEqual(verdictOf(await api.post('verify', download)), [422, 'response-unsigned']);
    assert.deepEqual(unverified(), []);
  });

  for (const [code, refused] of Object.entries(refusals)) {
    it(`refuses with 422 ${code}, and tells the observer`, async () => {
      assert.deepEqual(verdictOf(await api.post('verify', refused)), [422, code]);
      assert.deepEqual(unverified(), [['response', code]]);
      const operated = api.events.find(({ type }) => type === 'operated');
      assert.equal(operated?.type === 'operated' && operated.outcome, 'refused');
    });
  }

  it('takes an answer for forged when a 200 carries no signature', async () => {
    const reply = await api.post('verify', { kind: 'response', headers: {}, body: '{}', status: 200, url: '/v3/x' });
    assert.deepEqual(verdictOf(reply), [422, 'signature-missing']);
  });

  it('refuses a signature that is no base64 as it refuses any wrong one', async () => {
    const { keyId } = newest!;
    for (const signature of ['', 'A', '*', 'AAA', '支付'.repeat(99)]) {
      const reply = await api.post('verify', { message: 'x', signature, keyId });
      assert.deepEqual(verdictOf(reply), [422, 'signature-invalid'], signature);
    }
    assert.equal(unverified().length, 5);
  });

  it('refuses an input that is half message and half answer: one of the two would go unverified', async () => {
    for (const extra of [{ message: 'x' }, { messageBase64: '' }, { signature: 'AAAA' }, { keyId: 'AB' }]) {
      const reply = await api.post('verify', { ...input(answer), ...extra });
      assert.deepEqual(verdictOf(reply), [400, 'request-invalid'], JSON.stringify(extra));
    }
    for (const extra of [{ headers: {} }, { body: 'x' }, { bodyBase64: '' }, { url: '/' }, { status: 200 }]) {
      const reply = await api.post('verify', { message: 'x', signature: 'AAAA', keyId: 'AB', ...extra });
      assert.deepEqual(verdictOf(reply), [400, 'request-invalid'], JSON.stringify(extra));
    }
  });

  it('answers 503 with Retry-After, and reports nothing as forged, while there is no platform key', async () => {
    await using bare = await startApi({ shop: { files: unverifiable } });
    const reply = await bare.post('verify', input(answer));
    assert.deepEqual([...verdictOf(reply), reply.headers['retry-after']], [503, 'no-platform-key', '1']);
    assert.ok(bare.events.every(({ type }) => type !== 'unverified'));
    const sealed = await bare.post('encrypt', { plaintext: 'x' });
    assert.deepEqual([...verdictOf(sealed), sealed.headers['retry-after']], [503, 'no-platform-key', '1']);
  });
});

describe('notification', () => {
  const { apiV3Key } = material;
  const resource = { out_trade_no: '1', description: '手机' };
  const options = { apiV3Key, platformKey: publicKey!, now: start, resource, id: 'EV-1' };
  const post = (message: PlatformMessage) => {
    const { headers, body } = input(message);
    return api.post('notification', { headers, body });
  };

  it('is verified and decrypted in one call', async () => {
    const { status, body } = await post(makeNotification(options));
    const opened = { id: 'EV-1', eventType: 'TRANSACTION.SUCCESS', resource, keyId: publicKey!.keyId };
    assert.deepEqual([status, body], [200, opened]);
    assert.deepEqual(api.events[0], { type: 'decrypted', credential: 'shop', role: 'apiv3', isRetired: false });
  });

  it('whose resource is no JSON yields its text', async () => {
    assert.equal((await post(makeNotification({ ...options, resource: 'plain' }))).body['resource'], 'plain');
  });

  it('that is a probe is refused, counted apart, and not decrypted', async () => {
    assert.deepEqual(verdictOf(await post(makeProbe(makeNotification(options)))), [422, 'signature-probe']);
    assert.deepEqual(unverified(), [['notification', 'signature-probe']]);
    assert.ok(api.events.every(({ type }) => type !== 'decrypted'));
  });

  it('under another APIv3 key, or that is no notification, is refused', async () => {
    const foreign = makeNotification({ ...options, apiV3Key: 'x'.repeat(32) });
    assert.deepEqual(verdictOf(await post(foreign)), [422, 'decryption-failed']);
    const other = signMessage(Buffer.from('{"id":1}'), options);
    assert.deepEqual(verdictOf(await post(other)), [422, 'notification-malformed']);
  });

  it('under the key that was replaced still opens, and says so', async (t) => {
    t.after(() => api.load('shop', material.files));
    await api.load(
      'shop',
      new Map([...rotateApiV3Key(material).files].filter(([name]) => name !== 'apiv3_key.previous')),
    );
    assert.equal((await post(makeNotification(options))).status, 200);
    const decrypted = api.events.find(({ type }) => type === 'decrypted');
    assert.deepEqual(decrypted, { type: 'decrypted', credential: 'shop', role: 'apiv3', isRetired: true });
  });
});
