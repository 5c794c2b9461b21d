// Signatures agree with node:crypto's own synchronous ones.
import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { rsaPkcs1, rsaPss } from '../../src/crypto/suites.ts';
import { generateKeyPair } from '../../src/testing/index.ts';

const [own, other] = await Promise.all([generateKeyPair(), generateKeyPair()]);
const message = Buffer.from('GET\n/v3/certificates\n1554208460\nabc\n\n');

describe('a signature', () => {
  it('is RSA PKCS#1 v1.5 with SHA-256, byte for byte', async () => {
    assert.deepEqual(await rsaPkcs1.sign(own.privateKey, message), sign('sha256', message, own.privateKey));
    assert.ok(verify('sha256', message, own.publicKey, await rsaPkcs1.sign(own.privateKey, message)));
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
