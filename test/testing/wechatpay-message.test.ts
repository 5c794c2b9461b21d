// What the double sends opens with the steps of protocols 1.3 to 1.5 and 1.9, done here by hand.
import assert from 'node:assert/strict';
import { createDecipheriv, privateDecrypt, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { generateKeyPair } from '../../src/testing/key-pair.ts';
import {
  encryptField,
  encryptResource,
  formatTime,
  makeNotification,
  makeProbe,
} from '../../src/testing/wechatpay-message.ts';
import type { PlatformMessage } from '../../src/testing/wechatpay-message.ts';

const now = new Date('2026-03-01T16:00:00.999Z');
const apiV3Key = '0123456789abcdef0123456789ABCDEF';
const platformKey = { keyId: 'PUB_KEY_ID_0123', ...(await generateKeyPair()) };
const resource = { out_trade_no: '订单1', trade_state: 'SUCCESS' };
const notification = makeNotification({ platformKey, now, apiV3Key, resource });

function isSigned({ headers, body }: PlatformMessage): boolean {
  const message = `${headers['Wechatpay-Timestamp']!}\n${headers['Wechatpay-Nonce']!}\n${Buffer.from(body).toString()}\n`;
  const signature = Buffer.from(headers['Wechatpay-Signature']!, 'base64');
  return verify('RSA-SHA256', Buffer.from(message), platformKey.publicKey, signature);
}

function decrypt(envelope: { ciphertext: string; nonce: string; associated_data: string }, key = apiV3Key): string {
  const bytes = Buffer.from(envelope.ciphertext, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, envelope.nonce, { authTagLength: 16 });
  decipher.setAuthTag(bytes.subarray(-16)).setAAD(Buffer.from(envelope.associated_data));
  return decipher.update(bytes.subarray(0, -16)).toString() + decipher.final().toString();
}

describe('a notification', () => {
  it('is signed over its raw bytes, at its time, by the key it names', () => {
    assert.ok(isSigned(notification));
    assert.equal(notification.headers['Wechatpay-Timestamp'], String(Date.UTC(2026, 2, 1, 16) / 1000));
    assert.equal(notification.headers['Wechatpay-Serial'], 'PUB_KEY_ID_0123');
    assert.equal(notification.headers['Wechatpay-Signature-Type'], 'WECHATPAY2-SHA256-RSA2048');
    assert.ok(!isSigned({ ...notification, body: Buffer.concat([notification.body, Buffer.from(' ')]) }));
  });

  it('holds its resource encrypted with the APIv3 key', () => {
    const envelope = JSON.parse(Buffer.from(notification.body).toString()) as {
      create_time: string;
      event_type: string;
      resource_type: string;
      resource: Parameters<typeof decrypt>[0] & { algorithm: string; original_type: string };
    };
    assert.deepEqual(JSON.parse(decrypt(envelope.resource)), resource);
    assert.throws(() => decrypt(envelope.resource, apiV3Key.toLowerCase()));
    assert.equal(envelope.resource.nonce.length, 12);
    assert.equal(envelope.resource.algorithm, 'AEAD_AES_256_GCM');
    assert.equal(envelope.resource.original_type, 'transaction');
    assert.equal(envelope.event_type, 'TRANSACTION.SUCCESS');
    assert.equal(envelope.resource_type, 'encrypt-resource');
    assert.equal(envelope.create_time, '2026-03-02T00:00:00+08:00');
  });

  it('needs an APIv3 key of 32 bytes', () => {
    assert.throws(() => encryptResource('text', { apiV3Key: apiV3Key.slice(16) }), RangeError);
  });
});

describe('a probe', () => {
  it('has a signature of the usual length that starts with the marker and does not verify', () => {
    const probe = makeProbe(notification);
    const signature = probe.headers['Wechatpay-Signature']!;
    assert.match(signature, /^WECHATPAY\/SIGNTEST\/[A-Za-z0-9+/]+=*$/);
    assert.equal(signature.length, notification.headers['Wechatpay-Signature']!.length);
    assert.deepEqual(probe.body, notification.body);
    assert.ok(!isSigned(probe));
  });
});

it('an encrypted field opens with the private key, OAEP and SHA-1', () => {
  const opened = privateDecrypt(
    { key: platformKey.privateKey, oaepHash: 'sha1' },
    Buffer.from(encryptField(platformKey.publicKey, '张三'), 'base64'),
  );
  assert.equal(opened.toString(), '张三');
});

it('a time is written at Beijing’s offset', () => {
  assert.equal(formatTime(new Date('2018-06-08T02:34:56Z')), '2018-06-08T10:34:56+08:00');
});
