// The gateway accepts what WeChat Pay accepts and refuses the rest; every request here is signed by hand.
import assert from 'node:assert/strict';
import { createDecipheriv, randomBytes, sign, verify, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, beforeEach, describe, it } from 'node:test';
import { generateKeyPair } from '../../src/testing/key-pair.ts';
import { startWechatpayGateway } from '../../src/testing/wechatpay-gateway.ts';
import { createWechatpayMaterial, rotateMerchant } from '../../src/testing/wechatpay-material.ts';
import type { WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';

const merchantId = '1900000001';
const keyPairs = await Promise.all([1, 2, 3, 4, 5].map(() => generateKeyPair()));
const start = new Date('2026-03-01T00:00:00Z');
const material = await createWechatpayMaterial({ merchantId, now: start, publicKey: true, keyPairs });
const rotated = await rotateMerchant(material, { now: start, keyPair: keyPairs[4]! });
const [firstCertificate, secondCertificate, publicKey] = material.platformKeys;

let clock = start;
let gateway = await startWechatpayGateway({ now: () => clock });
after(() => gateway.close());
beforeEach(async () => {
  await gateway.close();
  clock = start;
  gateway = await startWechatpayGateway({ now: () => clock });
  gateway.admit(material);
});

const order = Buffer.from(JSON.stringify({ mchid: merchantId, description: '手机', out_trade_no: '1' }));

interface Attempt {
  readonly method?: string;
  readonly path?: string;
  readonly body?: Buffer;
  readonly signer?: WechatpayMaterial['merchant'];
  /** Fields of the Authorization header to replace. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Headers to replace; undefined removes. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** What is sent instead of what was signed. */
  readonly sent?: { readonly method?: string; readonly path?: string; readonly body?: Buffer };
}

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
  readonly body: Record<string, unknown>;
}

async function call(attempt: Attempt = {}): Promise<Reply> {
  const { method = 'POST', path = '/v3/pay/transactions/jsapi', signer = material.merchant, sent = {} } = attempt;
  const body = attempt.body ?? (method === 'POST' ? order : Buffer.alloc(0));
  const timestamp = attempt.fields?.['timestamp'] ?? String(clock.getTime() / 1000);
  const nonce = attempt.fields?.['nonce_str'] ?? randomBytes(16).toString('hex');
  const message = Buffer.concat([Buffer.from(`${method}\n${path}\n${timestamp}\n${nonce}\n`), body, Buffer.from('\n')]);
  const signature = sign('RSA-SHA256', message, signer.privateKey).toString('base64');
  const fields = {
    mchid: merchantId,
    nonce_str: nonce,
    signature,
    timestamp,
    serial_no: signer.serialNumber,
    ...attempt.fields,
  };
  const quoted = Object.entries(fields).map(([name, value]) => `${name}="${value}"`);
  const headers: Attempt['headers'] = {
    Authorization: `WECHATPAY2-SHA256-RSA2048 ${quoted.join(',')}`,
    Accept: 'application/json',
    'User-Agent': 'test',
    ...attempt.headers,
  };
  const options = { method: sent.method ?? method, path: sent.path ?? path, agent: false };
  const outgoing = request(gateway.url, options);
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) outgoing.setHeader(name, value);
  outgoing.end(sent.body ?? body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const raw = await text(response);
  return { status: response.statusCode, headers: response.headers, raw, body: JSON.parse(raw) as Reply['body'] };
}

const isSignedBy = ({ headers, raw }: Reply, key = firstCertificate!): boolean => {
  const signed = `${String(headers['wechatpay-timestamp'])}\n${String(headers['wechatpay-nonce'])}\n${raw}\n`;
  const signature = Buffer.from(String(headers['wechatpay-signature']), 'base64');
  return (
    headers['wechatpay-serial'] === key.keyId && verify('RSA-SHA256', Buffer.from(signed), key.publicKey, signature)
  );
};

describe('a request that is signed well', () => {
  it('is answered with a prepay id, signed by the platform', async () => {
    const reply = await call();
    assert.equal(reply.status, 200);
    assert.match(String(reply.body['prepay_id']), /^wx[0-9a-f]{34}$/);
    assert.ok(isSignedBy(reply));
    assert.equal(reply.headers['wechatpay-timestamp'], String(start.getTime() / 1000));
    assert.equal(reply.headers['wechatpay-signature-type'], 'WECHATPAY2-SHA256-RSA2048');
    assert.ok(reply.headers['request-id']);
    assert.deepEqual(
      { ...gateway.counts },
      { accepted: 1, refused: 0, bySerial: new Map([[material.merchant.serialNumber, 1]]) },
    );
  });

  it('may write the fields of Authorization in any order and be 300 s early or late', async () => {
    const late = await call({ fields: { timestamp: String(start.getTime() / 1000 - 300) } });
    const early = await call({ fields: { timestamp: String(start.getTime() / 1000 + 300) } });
    assert.deepEqual([late.status, early.status], [200, 200]);
  });

  it('is signed over the query as sent', async () => {
    const path = `/v3/pay/transactions/out-trade-no/A-1%7C2?mchid=${merchantId}&x=%e4%bd%A0`;
    const reply = await call({ method: 'GET', path });
    assert.deepEqual([reply.status, reply.body['out_trade_no'], reply.body['mchid']], [200, 'A-1|2', merchantId]);
  });

  it('is accepted from every certificate that is trusted, until it is revoked', async () => {
    assert.equal((await call({ signer: rotated.merchant })).status, 401);
    gateway.trust(merchantId, rotated.merchant);
    assert.equal((await call({ signer: rotated.merchant })).status, 200);
    assert.equal((await call()).status, 200);
    gateway.revoke(merchantId, material.merchant.serialNumber);
    assert.equal((await call()).body['message'], '商户证书已作废');
    assert.equal((await call({ signer: rotated.merchant })).status, 200);
    assert.deepEqual([...gateway.counts.bySerial.values()], [2, 1]);
    assert.throws(() => gateway.revoke(merchantId, '00'), RangeError);
  });

  it('is answered 404 where there is no such endpoint and 400 where it names another merchant', async () => {
    const unknown = await call({ method: 'GET', path: '/v3/nothing' });
    assert.deepEqual([unknown.status, unknown.body['code'], isSignedBy(unknown)], [404, 'NOT_FOUND', true]);
    const foreign = await call({ body: Buffer.from('{"mchid":"1900000002"}') });
    assert.deepEqual([foreign.status, foreign.body['code']], [400, 'PARAM_ERROR']);
    assert.equal((await call({ body: Buffer.from('not json') })).status, 400);
  });
});

describe('a request is refused with SIGN_ERROR and no signature', () => {
  const now = start.getTime() / 1000;
  const refused: Readonly<Record<string, [attempt: Attempt, message: RegExp]>> = {
    'without Authorization': [{ headers: { Authorization: undefined } }, /值格式错误/],
    'with another scheme': [{ headers: { Authorization: 'Bearer token' } }, /认证类型不正确/],
    'with a field missing': [{ headers: { Authorization: 'WECHATPAY2-SHA256-RSA2048 mchid="1"' } }, /值格式错误/],
    'with an empty field': [{ fields: { serial_no: '' } }, /值格式错误/],
    'with a sixth field': [{ fields: { extra: '1' } }, /值格式错误/],
    'with a signature that is not base64': [{ fields: { signature: 'A-_b' } }, /值格式错误/],
    'with a nonce of 33 characters': [{ fields: { nonce_str: 'a'.repeat(33) } }, /值格式错误/],
    'without Accept': [{ headers: { Accept: undefined } }, /Accept/],
    'without User-Agent': [{ headers: { 'User-Agent': undefined } }, /User-Agent/],
    'from an unknown merchant': [{ fields: { mchid: '1900000009' } }, /未申请过证书/],
    'with an unknown serial number': [{ fields: { serial_no: 'AB' } }, /序列号有误/],
    'with a lower-case serial number': [
      { fields: { serial_no: material.merchant.serialNumber.toLowerCase() } },
      /序列号有误/,
    ],
    'that is 301 s late': [{ fields: { timestamp: String(now - 301) } }, /不得超过5分钟/],
    'that is 301 s early': [{ fields: { timestamp: String(now + 301) } }, /不得超过5分钟/],
    'whose time is in milliseconds': [{ fields: { timestamp: String(now * 1000) } }, /不得超过5分钟/],
    'signed by another key': [
      { signer: { ...material.merchant, privateKey: rotated.merchant.privateKey } },
      /验签失败/,
    ],
    'sent with another body': [{ sent: { body: Buffer.from(order.toString().replace('手', 'X')) } }, /验签失败/],
    'sent with another query': [{ sent: { path: '/v3/pay/transactions/jsapi?a' } }, /验签失败/],
    'sent with another method': [{ sent: { method: 'PUT' } }, /验签失败/],
  };
  for (const [title, [attempt, message]] of Object.entries(refused)) {
    it(title, async () => {
      const reply = await call(attempt);
      assert.deepEqual([reply.status, reply.body['code']], [401, 'SIGN_ERROR']);
      assert.match(String(reply.body['message']), message);
      assert.equal(reply.headers['wechatpay-signature'], undefined);
      assert.deepEqual([gateway.counts.accepted, gateway.counts.refused], [0, 1]);
    });
  }

  it('and told what was verified when the signature does not match', async () => {
    const nonce_str = 'fixed';
    const { body } = await call({ fields: { nonce_str }, sent: { body: Buffer.from('{"amount":{}}') } });
    const head = `POST\n/v3/pay/transactions/jsapi\n${String(now)}\nfixed\n`;
    assert.deepEqual(body['detail'], {
      field: 'signature',
      location: 'authorization',
      detail: { issue: 'sign not match' },
      sign_information: {
        method: 'POST',
        url: '/v3/pay/transactions/jsapi',
        truncated_sign_message: `${head}{"amount\n`,
        sign_message_length: head.length + 14,
      },
    });
  });

  it('when its nonce was used before, even after the time has moved', async () => {
    const fields = { nonce_str: 'again', timestamp: String(now + 300) };
    assert.equal((await call({ fields })).status, 200);
    clock = new Date(start.getTime() + 600_000);
    assert.match(String((await call({ fields })).body['message']), /nonce_str/);
  });
});

describe('an answer', () => {
  const signers = async (count: number, headers: Record<string, string> = {}): Promise<unknown[]> => {
    const replies: unknown[] = [];
    while (replies.length < count) replies.push((await call({ headers })).headers['wechatpay-serial']);
    return replies;
  };

  it('is signed by the platform certificates in turn', async () => {
    const [first, second] = [firstCertificate!.keyId, secondCertificate!.keyId];
    assert.deepEqual(await signers(4), [first, second, first, second]);
  });

  it('is signed by the key that the request names', async () => {
    const named = secondCertificate!.keyId;
    assert.deepEqual(await signers(2, { 'Wechatpay-Serial': named }), [named, named]);
    assert.ok(isSignedBy(await call({ headers: { 'Wechatpay-Serial': publicKey!.keyId } }), publicKey));
  });

  it('is signed by the public key when there is no certificate, and unsigned when there is no key', async () => {
    gateway.setPlatformKeys(merchantId, [publicKey!]);
    assert.deepEqual(await signers(1), [publicKey!.keyId]);
    gateway.setPlatformKeys(merchantId, []);
    assert.deepEqual(await signers(1), [undefined]);
  });
});

describe('GET /v3/certificates', () => {
  const list = (): Promise<Reply> => call({ method: 'GET', path: '/v3/certificates?algorithm_type=RSA' });

  it('lists every platform certificate, encrypted with the APIv3 key', async () => {
    const apiV3Key = 'x'.repeat(32);
    gateway.setApiV3Key(merchantId, apiV3Key);
    const reply = await list();
    const data = reply.body['data'] as {
      serial_no: string;
      effective_time: string;
      expire_time: string;
      encrypt_certificate: { nonce: string; ciphertext: string; associated_data: string };
    }[];
    assert.deepEqual(
      data.map((entry) => entry.serial_no),
      [firstCertificate!.keyId, secondCertificate!.keyId],
    );
    for (const entry of data) {
      const { nonce, ciphertext, associated_data } = entry.encrypt_certificate;
      const bytes = Buffer.from(ciphertext, 'base64');
      const decipher = createDecipheriv('aes-256-gcm', apiV3Key, nonce).setAuthTag(bytes.subarray(-16));
      decipher.setAAD(Buffer.from(associated_data));
      const certificate = new X509Certificate(
        Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]),
      );
      assert.equal(certificate.serialNumber, entry.serial_no);
      assert.deepEqual(new Date(entry.expire_time), certificate.validToDate);
      assert.match(entry.effective_time, /\+08:00$/);
    }
  });

  it('is empty before there are any and 404 when there is a public key only', async () => {
    gateway.setPlatformKeys(merchantId, []);
    assert.deepEqual((await list()).body, { data: [] });
    gateway.setPlatformKeys(merchantId, [publicKey!]);
    const reply = await list();
    assert.deepEqual([reply.status, reply.body['code']], [404, 'RESOURCE_NOT_EXISTS']);
  });
});

it('a gateway that closes ends every connection and accepts no new one', async () => {
  const idle = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  idle.write('GET / HTTP/1.1\r\nHost: gateway\r\n\r\n');
  await once(idle, 'data');
  const ended = once(idle.resume(), 'close');
  await gateway.close();
  await ended;
  await assert.rejects(call(), { code: 'ECONNREFUSED' });
  await gateway.close();
});

it('a gateway rejects a port that is in use', async () => {
  await assert.rejects(startWechatpayGateway({ port: Number(new URL(gateway.url).port) }), { code: 'EADDRINUSE' });
});
