// What signs: authorize, sign, payment-parameters. Every signature is checked with node:crypto or by the gateway double.
import assert from 'node:assert/strict';
import { sign, verify } from 'node:crypto';
import { request } from 'node:http';
import { after, beforeEach, describe, it } from 'node:test';
import { startWechatpayGateway } from '../../src/testing/wechatpay-gateway.ts';
import { makeMaterial, merchantId, start, startApi, verdictOf } from '../support/api-server.ts';
import { answerTo } from '../support/http-client.ts';

const material = await makeMaterial();
const { merchant, platformKeys } = material;
const [, newest, publicKey] = platformKeys;
const api = await startApi({ shop: { files: material.files } });
const gateway = await startWechatpayGateway({ now: () => api.clock.time });
gateway.admit(material);
after(() => Promise.all([api[Symbol.asyncDispose](), gateway.close()]));
beforeEach(() => void api.events.splice(0));

interface Authorized {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
}

const isSignature = (message: string | Uint8Array, signature: unknown): boolean =>
  verify('sha256', Buffer.from(message), merchant.publicKey, Buffer.from(String(signature), 'base64'));

/** Sends what authorize returned, to the letter. */
async function send({ method, url, headers }: Authorized, body: Uint8Array = Buffer.alloc(0)) {
  const outgoing = request(gateway.url, { method, path: url, headers, agent: false });
  const answered = answerTo(outgoing);
  outgoing.end(body);
  return answered;
}

const order = JSON.stringify({ mchid: merchantId, description: '手机', out_trade_no: '1' });

describe('authorize', () => {
  const bodies = { body: order, bodyBase64: Buffer.from(order).toString('base64') };
  for (const [member, value] of Object.entries(bodies)) {
    it(`returns a request with ${member} that the gateway accepts, and verify accepts its answer`, async () => {
      const { status, body } = await api.post('authorize', {
        method: 'post',
        url: '/v3/pay/transactions/jsapi',
        [member]: value,
      });
      assert.equal(status, 200);
      assert.deepEqual(Object.keys(body), ['method', 'url', 'headers', 'keyId', 'generation']);
      assert.deepEqual([body['method'], body['keyId'], body['generation']], ['POST', merchant.serialNumber, 1]);
      const answer = await send(body as unknown as Authorized, Buffer.from(order));
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['wechatpay-serial'], newest!.keyId);
      const verified = await api.post('verify', { kind: 'response', headers: answer.headers, body: answer.text });
      assert.deepEqual(verified.body, { valid: true, keyId: newest!.keyId });
    });
  }

  it('signs the query as it is written, and a request without a body', async () => {
    const url = `/v3/pay/transactions/out-trade-no/A%7C2?mchid=${merchantId}&x=%e4%bd%A0`;
    const { body } = await api.post('authorize', { method: 'GET', url });
    const answer = await send(body as unknown as Authorized);
    assert.deepEqual([answer.status, (JSON.parse(answer.text) as Authorized['headers'])['out_trade_no']], [200, 'A|2']);
  });

  it('signs an absolute address by its path', async () => {
    const { body } = await api.post('authorize', { method: 'GET', url: `${gateway.url}/v3/certificates` });
    const answer = await send({ ...(body as unknown as Authorized), url: '/v3/certificates' });
    assert.equal(answer.status, 200);
  });

  it('signs the timestamp and nonce given, and keeps the headers given', async () => {
    const { body } = await api.post('authorize', {
      method: 'GET',
      url: '/v3/certificates',
      timestamp: 1_700_000_000,
      nonce: 'n0nce',
      headers: { 'user-agent': 'shop/1', 'X-Trace': 'ü' },
    });
    const { Authorization = '', ...headers } = body['headers'] as Authorized['headers'];
    const fields = new Map([...Authorization.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
    const { signature, ...rest } = Object.fromEntries(fields) as Record<string, unknown>;
    assert.deepEqual(rest, {
      mchid: merchantId,
      nonce_str: 'n0nce',
      timestamp: '1700000000',
      serial_no: merchant.serialNumber,
    });
    assert.ok(isSignature('GET\n/v3/certificates\n1700000000\nn0nce\n\n', signature));
    assert.deepEqual(headers, {
      Accept: 'application/json',
      'user-agent': 'shop/1',
      'X-Trace': 'ü',
      'Wechatpay-Serial': newest!.keyId,
    });
  });

  it('names the key that the fields of the body are encrypted for', async () => {
    const input = { method: 'GET', url: '/', encryptionKeyId: publicKey!.keyId };
    const { body } = await api.post('authorize', input);
    assert.equal((body['headers'] as Authorized['headers'])['Wechatpay-Serial'], publicKey!.keyId);
    const rotated = await api.post('authorize', { ...input, encryptionKeyId: 'AB' });
    assert.equal((rotated.body['headers'] as Authorized['headers'])['Wechatpay-Serial'], 'AB');
    assert.deepEqual(verdictOf(await api.post('authorize', { ...input, encryptionKeyId: 'A\r\nB' })), [
      400,
      'request-invalid',
    ]);
  });

  it('refuses a member that the provider has no use for, and half a surrogate pair in what is signed', async () => {
    const call = { method: 'GET', url: '/' };
    for (const [input, field] of [
      [{ ...call, bizContent: '{}' }, 'bizContent'],
      [{ ...call, parameters: { a: '\ud800' } }, 'parameters.a'],
      [{ url: '/' }, 'method'],
      [{ ...call, parameters: { 'a=b': '' } }, 'parameters.a=b'],
    ] as const) {
      const answer = await api.post('authorize', input);
      assert.deepEqual([...verdictOf(answer), answer.body['field']], [400, 'request-invalid', field]);
    }
  });

  it('never repeats a nonce of its own', async () => {
    const items = Array.from({ length: 256 }, () => ({ method: 'GET', url: '/' }));
    const { text } = await api.post('authorize/batch', { items });
    assert.equal(new Set([...text.matchAll(/nonce_str=\\"(\w{32})\\"/g)].map(([, nonce]) => nonce)).size, 256);
  });
});

describe('sign', () => {
  it('signs text as UTF-8 and base64 as bytes, and is counted', async () => {
    const bytes = Buffer.from([0, 0xff, 0xc0, 10]);
    const ofText = await api.post('sign', { message: '支付\n' });
    const ofBytes = await api.post('sign', { messageBase64: bytes.toString('base64') });
    assert.ok(isSignature('支付\n', ofText.body['signature']));
    assert.ok(isSignature(bytes, ofBytes.body['signature']));
    assert.equal(
      ofText.body['signature'],
      sign('sha256', Buffer.from('支付\n'), merchant.privateKey).toString('base64'),
    );
    assert.deepEqual([ofText.body['keyId'], ofText.body['generation']], [merchant.serialNumber, 1]);
    assert.deepEqual(
      api.events.map((event) => event.type === 'operated' && [event.credential, event.operation, event.outcome]),
      [
        ['shop', 'sign', 'ok'],
        ['shop', 'sign', 'ok'],
      ],
    );
  });

  it('signs the empty text', async () => {
    assert.ok(isSignature('', (await api.post('sign', { message: '' })).body['signature']));
  });

  it('keeps signing with a certificate that has expired meanwhile', async (t) => {
    t.after(() => (api.clock.time = start));
    api.clock.time = new Date(merchant.notAfter.getTime() + 1000);
    assert.equal((await api.post('sign', { message: 'x' })).status, 200);
  });
});

describe('payment-parameters', () => {
  const input = { appId: 'wxd678efh567hg6787', prepayId: 'wx201410272009395522657a690389285100' };
  const seconds = String(start.getTime() / 1000);

  it('of jsapi are signed over the package', async () => {
    const { body } = await api.post('payment-parameters', { type: 'jsapi', ...input });
    const { nonceStr, paySign, ...rest } = body;
    const packageText = `prepay_id=${input.prepayId}`;
    assert.deepEqual(rest, { appId: input.appId, timeStamp: seconds, package: packageText, signType: 'RSA' });
    assert.ok(isSignature(`${input.appId}\n${seconds}\n${String(nonceStr)}\n${packageText}\n`, paySign));
  });

  it('of an app are signed over the bare prepay id', async () => {
    const { body } = await api.post('payment-parameters', { type: 'app', ...input });
    const { noncestr, sign: signature, ...rest } = body;
    assert.deepEqual(rest, {
      appid: input.appId,
      partnerid: merchantId,
      prepayid: input.prepayId,
      package: 'Sign=WXPay',
      timestamp: seconds,
    });
    assert.ok(isSignature(`${input.appId}\n${seconds}\n${String(noncestr)}\n${input.prepayId}\n`, signature));
  });
});
