// Ciphers open what node:crypto sealed, seal what it opens, and open nothing else.
import assert from 'node:assert/strict';
import { constants, createCipheriv, privateDecrypt, publicEncrypt, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { aesKey, oaepCapacity, oaepOpener, openAesGcm, sealOaep } from '../../src/crypto/cipher.ts';
import { generateKeyPair } from '../../src/testing/index.ts';

const [own, other] = await Promise.all([generateKeyPair(), generateKeyPair()]);
const rawKey = Buffer.from('0123456789abcdef0123456789ABCDEF');
const key = aesKey(rawKey);
const nonce = Buffer.from('fdasfjihihih');
const associatedData = Buffer.from('transaction');

function seal(plaintext: Uint8Array, { nonceBytes = nonce, tagBytes = 16 } = {}): Buffer {
  const cipher = createCipheriv('aes-256-gcm', rawKey, nonceBytes, { authTagLength: tagBytes });
  cipher.setAAD(associatedData);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

describe('an AES-GCM ciphertext', () => {
  it('opens with its key, nonce and associated data', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (plaintext) => {
        assert.deepEqual(openAesGcm(key, nonce, associatedData, seal(plaintext)), Buffer.from(plaintext));
      }),
    );
  });

  it('never opens after any mutation of one of its bytes', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 });
    fc.assert(
      fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (plaintext, position, change) => {
        const sealed = seal(plaintext);
        const at = position % sealed.byteLength;
        sealed[at] = sealed[at]! ^ change;
        assert.equal(openAesGcm(key, nonce, associatedData, sealed), undefined);
      }),
    );
  });

  it('never opens cut at either end or with bytes added', () => {
    const sealed = seal(Buffer.from('a resource of some length'));
    for (let length = 0; length < sealed.byteLength; length += 1) {
      assert.equal(openAesGcm(key, nonce, associatedData, sealed.subarray(0, length)), undefined);
      assert.equal(openAesGcm(key, nonce, associatedData, sealed.subarray(length + 1)), undefined);
    }
    assert.equal(openAesGcm(key, nonce, associatedData, Buffer.concat([sealed, Buffer.alloc(1)])), undefined);
  });

  it('does not open with another key, nonce or associated data', () => {
    const sealed = seal(Buffer.from('text'));
    assert.equal(openAesGcm(aesKey(randomBytes(32)), nonce, associatedData, sealed), undefined);
    assert.equal(openAesGcm(key, Buffer.from('fdasfjihihiX'), associatedData, sealed), undefined);
    assert.equal(openAesGcm(key, nonce, Buffer.alloc(0), sealed), undefined);
  });

  it('under a nonce that is not 12 bytes or a tag that is not 16 does not open, though it authenticates', () => {
    for (const length of [1, 11, 13, 16]) {
      const nonceBytes = Buffer.alloc(length, 7);
      assert.equal(openAesGcm(key, nonceBytes, associatedData, seal(Buffer.from('x'), { nonceBytes })), undefined);
    }
    assert.equal(openAesGcm(key, Buffer.alloc(0), associatedData, seal(Buffer.from('x'))), undefined);
    const shortTag = seal(Buffer.from('a text longer than its tag'), { tagBytes: 12 });
    assert.equal(openAesGcm(key, nonce, associatedData, shortTag), undefined);
  });
});

describe('an encrypted field', () => {
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };

  it('is RSAES-OAEP with SHA-1, up to the capacity of the key', () => {
    assert.equal(oaepCapacity(own.publicKey), 214);
    for (const text of [Buffer.alloc(0), Buffer.from('张三'), randomBytes(214)]) {
      const sealed = sealOaep(own.publicKey, text);
      assert.deepEqual(privateDecrypt({ key: own.privateKey, ...padding }, sealed), text);
    }
    assert.throws(() => sealOaep(own.publicKey, randomBytes(215)));
  });

  it('opens with its private key only', async () => {
    const sealed = publicEncrypt({ key: own.publicKey, ...padding }, Buffer.from('张三'));
    assert.equal((await oaepOpener(own.privateKey)(sealed))?.toString(), '张三');
    assert.equal(await oaepOpener(other.privateKey)(sealed), undefined);
  });

  it('of any other hash, length or content opens to nothing and throws nothing', async () => {
    const open = oaepOpener(own.privateKey);
    const sha256 = publicEncrypt({ key: own.publicKey, ...padding, oaepHash: 'sha256' }, Buffer.from('x'));
    for (const damaged of [sha256, Buffer.alloc(0), randomBytes(255), randomBytes(257), Buffer.alloc(256, 0xff)]) {
      assert.equal(await open(damaged), undefined);
    }
  });
});
