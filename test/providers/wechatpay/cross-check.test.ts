// WeChat Pay APIv3 against the platform's SDK for Node: what it signs we verify, what we sign it verifies.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { Aes, Decorator, Formatter, Rsa } from 'wechatpay-axios-plugin';
import { signMessage, startWechatpayGateway } from '../../../src/testing/index.ts';
import { loadFit, makeMaterial, merchantId, now, refusal } from '../../support/wechatpay.ts';

const material = await makeMaterial();
const { merchant, platformKeys, apiV3Key } = material;
const platform = platformKeys[0]!;
const shop = await loadFit(material.files);
const time = now.getTime() / 1000;
const body = '{"描述":"<商品>"}';
const url = '/v3/pay/transactions/jsapi?a=%20b';

describe('the platform’s SDK', () => {
  it('verifies the signature of a request that we authorize, and writes the same header', async () => {
    const nonce = Formatter.nonce(32);
    const request = { method: 'POST', url, body: Buffer.from(body) };
    const { headers } = await shop.authorize(request, { now, nonce });
    const authorization = headers['Authorization'] ?? '';
    const [, signature = ''] = /signature="([^"]+)"/.exec(authorization) ?? [];
    const message = Formatter.request('POST', url, time, nonce, body);
    assert.ok(Rsa.verify(message, signature, merchant.publicKey));
    assert.equal(signature, Rsa.sign(message, merchant.privateKey));
    const theirs = Formatter.authorization(merchantId, nonce, signature, time, merchant.serialNumber);
    const fieldsOf = (header: string) => header.replace(/^\S+ /, '').split(',').sort();
    assert.deepEqual(fieldsOf(authorization), fieldsOf(theirs));
  });

  it('signs answers that we verify', async () => {
    const nonce = Formatter.nonce(32);
    const signature = Rsa.sign(Formatter.response(time, nonce, body), platform.privateKey);
    const headers = {
      'Wechatpay-Timestamp': String(time),
      'Wechatpay-Nonce': nonce,
      'Wechatpay-Serial': platform.keyId,
      'Wechatpay-Signature': signature,
    };
    const received = { kind: 'response', headers, body: Buffer.from(body) } as const;
    assert.deepEqual(await shop.verify(received, now), { keyId: platform.keyId });
  });

  it('verifies what we sign for the paying client', async () => {
    const nonce = Formatter.nonce(32);
    const shared = { appId: 'wx1', prepayId: 'p1' };
    const page = await shop.paymentParameters({ type: 'jsapi', ...shared }, { now, nonce });
    const pageText = Formatter.joinedByLineFeed('wx1', String(time), nonce, 'prepay_id=p1');
    assert.ok(Rsa.verify(pageText, page['paySign'] ?? '', merchant.publicKey));
    const app = await shop.paymentParameters({ type: 'app', ...shared }, { now, nonce });
    const appText = Formatter.joinedByLineFeed('wx1', String(time), nonce, 'p1');
    assert.ok(Rsa.verify(appText, app['sign'] ?? '', merchant.publicKey));
  });

  it('as a client gets answers of the double, which verifies what it signs', async () => {
    const today = await makeMaterial({ now: new Date() });
    await using double = await startWechatpayGateway();
    double.admit(today);
    const client = Decorator.jsonBased({
      mchid: merchantId,
      serial: today.merchant.serialNumber,
      privateKey: today.merchant.privateKey,
      certs: Object.fromEntries(today.platformKeys.map(({ keyId, publicKey }) => [keyId, publicKey])),
    });
    const order = { mchid: merchantId, out_trade_no: '1' };
    const { data } = await client.post<{ prepay_id: string }>(`${double.url}/v3/pay/transactions/jsapi`, order);
    assert.match(data.prepay_id, /^wx/);
    assert.deepEqual([double.counts.accepted, double.counts.refused], [1, 0]);
  });

  it('judges an answer as we do, whatever is changed in it', async () => {
    const theirs = Decorator.responseVerifier({ [platform.keyId]: platform.publicKey }) as (
      this: { url: string },
      data: string,
      headers: Record<string, string>,
      status: number,
    ) => unknown;
    const at = new Date(); // the SDK knows no other clock
    const { headers } = signMessage(Buffer.from(body), { platformKey: platform, now: at });
    const changed = (name: string, value: string) => ({ ...headers, [name]: value });
    const { 'Wechatpay-Nonce': _, ...nonceless } = headers;
    const unsigned = {};
    const pay = '/v3/pay/transactions/jsapi';
    const answers: [verdict: boolean, url: string, headers: Record<string, string>, data: string][] = [
      [true, pay, headers, body],
      [false, pay, headers, `${body} `],
      [false, pay, changed('Wechatpay-Nonce', 'other'), body],
      [false, pay, changed('Wechatpay-Serial', merchant.serialNumber), body],
      [false, pay, changed('Wechatpay-Timestamp', '1'), body],
      [false, pay, nonceless, body],
      [false, pay, unsigned, body],
      [false, '/v3/merchant-service/images/upload', unsigned, body],
    ];
    for (const [verdict, address, sent, data] of answers) {
      const received = { kind: 'response', url: address, status: 200, headers: sent, body: Buffer.from(data) } as const;
      const ours = await shop.verify(received, at).then(
        () => true,
        () => false,
      );
      assert.deepEqual([theirs.call({ url: address }, data, sent, 200) === data, ours], [verdict, verdict], address);
    }
    for (const address of [
      '/v3/billdownload/file?token=x',
      '/v3/transferdownload/elecvoucherfile?token=x',
      '/v3/transferdownload/signfile?token=x',
      '/v3/new-tax-control-fapiao/download?token=x',
      '/v3/merchant-service/images/ABCDEFG',
      '/v3/global/merchant-service/images/ABCDEFG',
    ]) {
      assert.equal(theirs.call({ url: address.split('?', 1)[0]! }, body, unsigned, 200), body, address);
      const received = {
        kind: 'response',
        url: address,
        status: 200,
        headers: unsigned,
        body: Buffer.from(body),
      } as const;
      await assert.rejects(shop.verify(received, at), refusal('response-unsigned'), address);
    }
  });

  it('encrypts fields and resources that we open, and opens fields that we encrypt', async () => {
    const field = await shop.decrypt({ ciphertext: Rsa.encrypt('张三', merchant.publicKey) });
    assert.equal(Buffer.from(field.plaintext).toString(), '张三');
    const nonce = randomBytes(6).toString('hex');
    const ciphertext = Aes.AesGcm.encrypt(body, apiV3Key, nonce, 'transaction');
    const resource = { algorithm: 'AEAD_AES_256_GCM', ciphertext, nonce, associatedData: 'transaction' };
    assert.equal(Buffer.from((await shop.decrypt(resource)).plaintext).toString(), body);
    const sealed = await shop.encrypt(Buffer.from('李四'), now, platform.keyId);
    assert.equal(Rsa.decrypt(Buffer.from(sealed.ciphertext).toString('base64'), platform.privateKey), '李四');
  });
});
