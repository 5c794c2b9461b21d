// Fields in PKCS#1 v1.5: an opt-in, never before OAEP, and no proof of anything.
import assert from 'node:assert/strict';
import { constants, publicEncrypt } from 'node:crypto';
import { describe, it } from 'node:test';
import { wechatpay } from '../../../src/providers/wechatpay/provider.ts';
import { generateKeyPair, toPkcs8Pem } from '../../../src/testing/key-pair.ts';
import { createWechatpayMaterial } from '../../../src/testing/wechatpay-material.ts';
import { encryptField } from '../../../src/testing/wechatpay-message.ts';
import { type FlatContext, flatten } from '../../support/flatten.ts';

const now = new Date('2026-03-01T00:00:00Z');
const merchantId = '1900000001';
const retired = await generateKeyPair();
const { files, merchant } = await createWechatpayMaterial({ merchantId, now, platformCertificates: 1 });
const data = new Map([...files, ['retired/old.pem', Buffer.from(toPkcs8Pem(retired.privateKey))]]);
const strict = flatten(await wechatpay({ merchantId }).load(data));
const legacy = flatten(await wechatpay({ merchantId, legacyFieldPadding: true }).load(data));
/** Without the retired key, which would answer what is empty to the merchant's with text by chance. */
const alone = flatten(await wechatpay({ merchantId, legacyFieldPadding: true }).load(files));

const seal = (publicKey: typeof merchant.publicKey, text: string): string =>
  publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(text)).toString('base64');
const open = async (context: FlatContext, ciphertext: string): Promise<string> =>
  Buffer.from((await context.decrypt!({ ciphertext })).plaintext).toString();
const undecryptable = { code: 'decryption-failed' };

describe('fields in PKCS#1 v1.5', () => {
  it('are refused unless the credential opts in', async () => {
    await assert.rejects(open(strict, seal(merchant.publicKey, '张三')), undecryptable);
    assert.equal(await open(legacy, seal(merchant.publicKey, '张三\n13800000000')), '张三\n13800000000');
  });

  it('leave OAEP first, with every key', async () => {
    assert.equal(await open(legacy, encryptField(merchant.publicKey, '张三')), '张三');
    assert.equal(await open(legacy, encryptField(retired.publicKey, '李四')), '李四');
  });

  it('do not list a key twice', () => {
    assert.deepEqual(legacy.keys, strict.keys);
  });

  it('are refused, not a crash, where they are no ciphertext of the key’s length', async () => {
    for (const length of [0, 1, 257, 512]) {
      await assert.rejects(open(legacy, Buffer.alloc(length, 1).toString('base64')), undecryptable);
    }
    // Shorter ones are numbers that OpenSSL takes, and one in 350 comes out as text by chance.
    for (let value = 0; value < 1000; value++) {
      const short = Buffer.alloc(255, value).fill(value >> 8, 0, 1);
      await assert.rejects(open(legacy, short.toString('base64')), undecryptable);
    }
    await assert.rejects(open(legacy, Buffer.alloc(256, 0xff).toString('base64')), undecryptable);
  });

  it('are refused where what comes out is no text, as it is nearly always with the wrong key', async () => {
    const { publicKey } = await generateKeyPair();
    const attempts = await Promise.allSettled(
      Array.from({ length: 40 }, (_, i) => open(legacy, seal(publicKey, `secret ${i}`))),
    );
    // Each of two keys answers about one in 350 with random text: more than five of 80 is no chance.
    const opened = attempts.filter(({ status }) => status === 'fulfilled');
    assert.ok(opened.length <= 5, `${opened.length} of 40 opened`);
    assert.ok(attempts.every((attempt) => attempt.status === 'rejected' || !attempt.value.startsWith('secret')));
    await assert.rejects(open(alone, seal(merchant.publicKey, '')), undecryptable);
    await assert.rejects(open(alone, seal(merchant.publicKey, '\u0000\u0001')), undecryptable);
  });
});
