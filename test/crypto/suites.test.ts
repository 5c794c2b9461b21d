// Signatures agree with node:crypto's own synchronous ones.
import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, privateEncrypt, sign, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Message } from '../../src/crypto/message.ts';
import { rsaPkcs1, rsaPss } from '../../src/crypto/suites.ts';
import { generateKeyPair } from '../../src/testing/index.ts';

const [own, other] = await Promise.all([generateKeyPair(), generateKeyPair()]);
const message = Buffer.from('GET\n/v3/certificates\n1554208460\nabc\n\n');

describe('a signature', () => {
  it('is RSA PKCS#1 v1.5 with SHA-256, byte for byte', async () => {
    assert.deepEqual(await rsaPkcs1.sign(own.privateKey, message), sign('sha256', message, own.privateKey));
    assert.ok(verify('sha256', message, own.publicKey, await rsaPkcs1.sign(own.privateKey, message)));
  });

  it('is the same in the event loop as in the pool', async () => {
    assert.deepEqual(rsaPkcs1.signHere(own.privateKey, message), await rsaPkcs1.sign(own.privateKey, message));
    assert.ok(rsaPss.verify(own.publicKey, message, rsaPss.signHere(own.privateKey, message)));
  });

  it('of nothing is a signature too', async () => {
    const empty = new Uint8Array();
    assert.ok(verify('sha256', empty, own.publicKey, await rsaPkcs1.sign(own.privateKey, empty)));
  });

  it('verifies with its own key and message, and with no other', async () => {
    const signature = sign('sha256', message, own.privateKey);
    assert.equal(rsaPkcs1.verify(own.publicKey, message, signature), true);
    assert.equal(rsaPkcs1.verify(other.publicKey, message, signature), false);
    assert.equal(rsaPkcs1.verify(own.publicKey, message.subarray(1), signature), false);
  });

  it('that is empty, cut or too long does not verify and does not throw', async () => {
    const signature = sign('sha256', message, own.privateKey);
    for (const damaged of [Buffer.alloc(0), signature.subarray(1), Buffer.concat([signature, Buffer.alloc(1)])]) {
      assert.equal(rsaPkcs1.verify(own.publicKey, message, damaged), false);
    }
  });

  it('by a key that cannot sign with RSA rejects instead of throwing', async () => {
    await assert.rejects(() => rsaPkcs1.sign(generateKeyPairSync('x25519').privateKey, message));
  });
});

describe('a PSS signature', () => {
  const salted = (saltLength: number) =>
    sign('sha256', message, { key: own.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });

  it('verifies with its own key and message, and with no other', async () => {
    const signature = await rsaPss.sign(own.privateKey, message);
    assert.equal(rsaPss.verify(own.publicKey, message, signature), true);
    assert.equal(rsaPss.verify(other.publicKey, message, signature), false);
    assert.equal(rsaPss.verify(own.publicKey, message.subarray(1), signature), false);
    assert.notDeepEqual(await rsaPss.sign(own.privateKey, message), signature);
  });

  it('has a salt of 32 bytes, and none of another length verifies', async () => {
    const key = { key: own.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    assert.ok(verify('sha256', message, key, await rsaPss.sign(own.privateKey, message)));
    assert.equal(rsaPss.verify(own.publicKey, message, salted(32)), true);
    for (const length of [0, 20, 31, 33, 64, 222])
      assert.equal(rsaPss.verify(own.publicKey, message, salted(length)), false, String(length));
  });

  it('is not a PKCS#1 v1.5 signature, nor the other way round', async () => {
    assert.equal(rsaPss.verify(own.publicKey, message, sign('sha256', message, own.privateKey)), false);
    assert.equal(rsaPkcs1.verify(own.publicKey, message, await rsaPss.sign(own.privateKey, message)), false);
  });

  it('that is empty or cut does not verify and does not throw; a key that cannot sign rejects', async () => {
    for (const damaged of [Buffer.alloc(0), salted(32).subarray(1)])
      assert.equal(rsaPss.verify(own.publicKey, message, damaged), false);
    await assert.rejects(() => rsaPss.sign(generateKeyPairSync('x25519').privateKey, message));
  });
});

describe('of several texts', () => {
  const messages = ['a', 'b', ''].map((text) => new Message(Buffer.from(text)));
  const digestInfo = (head: string, digest: Buffer) => Buffer.concat([Buffer.from(head, 'hex'), digest]);
  const sha256 = '3031300d060960864801650304020105000420';
  const { bytes, sha256: digest } = messages[0]!;

  it('the one that was signed is found, with the key that signed it', async () => {
    for (const suite of [rsaPkcs1, rsaPss]) {
      for (const [at, message] of messages.entries()) {
        const signature = await suite.sign(own.privateKey, message.bytes);
        assert.equal(suite.find(own.publicKey, messages, signature), at);
        assert.equal(suite.find(other.publicKey, messages, signature), undefined);
      }
    }
  });

  it('none is found where OpenSSL itself verifies none: other structures, other paddings, other lengths', () => {
    const padded = (info: Buffer) =>
      privateEncrypt({ key: own.privateKey, padding: constants.RSA_PKCS1_PADDING }, info);
    const raw = (block: Buffer) => privateEncrypt({ key: own.privateKey, padding: constants.RSA_NO_PADDING }, block);
    const info = digestInfo(sha256, digest);
    const block = (head: number[], fill: number, tail: Buffer) =>
      Buffer.concat([Buffer.from(head), Buffer.alloc(256 - head.length - tail.length, fill), tail]);
    const good = padded(info);
    assert.equal(rsaPkcs1.find(own.publicKey, messages, good), 0);
    const forged = [
      padded(digestInfo('302f300b0609608648016503040201' + '0420', digest)), // without the NULL
      padded(digestInfo('3031300d060960864801650304020105000420', digest.subarray(1))),
      padded(Buffer.concat([info, Buffer.from('garbage')])), // Bleichenbacher's of 2006
      padded(digest),
      raw(block([0, 1], 0xff, Buffer.concat([Buffer.from([0xff, 0xfe, 0]), info]))),
      raw(block([0, 2], 0xff, Buffer.concat([Buffer.from([0]), info]))),
      raw(block([0, 1, 0xff, 0xff, 0], 0x30, info)), // seven bytes of padding and less
      Buffer.alloc(256),
      Buffer.alloc(256, 0xff),
      good.subarray(1),
      Buffer.concat([good, Buffer.alloc(1)]),
      Buffer.concat([Buffer.alloc(1), good]),
      Buffer.alloc(0),
    ];
    for (const [index, signature] of forged.entries()) {
      assert.equal(verify('sha256', bytes, own.publicKey, signature), false, `OpenSSL, ${String(index)}`);
      assert.equal(rsaPkcs1.find(own.publicKey, messages, signature), undefined, String(index));
    }
  });

  it('a signature is found exactly where OpenSSL verifies it, whatever its bytes', async () => {
    const good = Buffer.from(await rsaPkcs1.sign(own.privateKey, bytes));
    const damage = fc.array(fc.tuple(fc.nat(255), fc.nat(255)), { maxLength: 2 });
    fc.assert(
      fc.property(damage, fc.nat(3), (changes, cut) => {
        const signature = Buffer.from(good);
        for (const [at, value] of changes) signature[at] = value;
        const seen = signature.subarray(cut === 3 ? 1 : 0);
        const isFound = rsaPkcs1.find(own.publicKey, [messages[0]!], seen) === 0;
        assert.equal(isFound, verify('sha256', bytes, own.publicKey, seen));
      }),
    );
  });
});
