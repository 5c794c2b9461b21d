// WeChat Pay APIv3 against the platform's SDK for Node: what it signs we verify, what we sign it verifies.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { Aes, Formatter, Rsa } from 'wechatpay-axios-plugin';
import { loadFit, makeMaterial, merchantId, now } from '../../support/wechatpay.ts';

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
