// Message authentication codes are the published ones, and compare without telling where they differ.
import assert from 'node:assert/strict';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { equalCodes, hmac, hmacSha256Over, md5, secretKey } from '../../src/crypto/mac.ts';

const jefe = secretKey(Buffer.from('Jefe'));
const question = 'what do ya want for nothing?';

describe('a message authentication code', () => {
  it('is HMAC-SHA1 of RFC 2202, case 2', () => {
    assert.equal(hmac('sha1', jefe, question).toString('hex'), 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79');
  });

  it('is HMAC-SHA256 of RFC 4231, case 2', () => {
    assert.equal(
      hmac('sha256', jefe, question).toString('hex'),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  it('over text that holds its key is the code over the joined bytes', () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array({ maxLength: 64 }), fc.string(), (before, secret, after) => {
        const key = secretKey(secret);
        const text = Buffer.concat([Buffer.from(before), secret, Buffer.from(after)]);
        assert.deepEqual(md5(before, key, after), createHash('md5').update(text).digest());
        assert.deepEqual(hmacSha256Over(key, before, key, after), createHmac('sha256', secret).update(text).digest());
      }),
    );
  });

  it('equals itself, and no other, shorter or longer one', () => {
    const code = randomBytes(32);
    assert.equal(equalCodes(code, Buffer.from(code)), true);
    for (let at = 0; at < code.byteLength; at += 1) {
      const other = Buffer.from(code);
      other[at] = other[at]! ^ 1;
      assert.equal(equalCodes(code, other), false);
      assert.equal(equalCodes(code, code.subarray(0, at)), false);
    }
    assert.equal(equalCodes(code, Buffer.concat([code, Buffer.alloc(1)])), false);
  });
});
