// What createAuthority issues is what node:crypto reads.
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { createAuthority } from '../../src/testing/authority.ts';
import { generateKeyPair, toPkcs1Pem, toPkcs8Pem, toSpkiPem } from '../../src/testing/key-pair.ts';

const now = new Date('2026-03-01T00:00:00Z');
const notBefore = new Date('2026-02-01T08:09:10Z');
const notAfter = new Date('2031-02-01T08:09:10Z');
const keyPair = await generateKeyPair();
const authority = await createAuthority({ now, keyPair: await generateKeyPair() });

describe('an authority', () => {
  it('issues a leaf that its own certificate verifies', async () => {
    const issued = await authority.issue({
      commonName: '1900000001',
      organization: '微信商户系统',
      notBefore,
      notAfter,
      keyPair,
    });
    const leaf = new X509Certificate(issued.certificate);
    const root = new X509Certificate(authority.certificate);
    assert.ok(leaf.verify(root.publicKey) && leaf.checkIssued(root) && !leaf.ca);
    assert.ok(root.ca && root.verify(root.publicKey));
    assert.equal(leaf.subject, 'CN=1900000001\nO=微信商户系统');
    assert.equal(leaf.signatureAlgorithm, 'sha256WithRSAEncryption');
    assert.ok(leaf.checkPrivateKey(issued.privateKey));
    assert.deepEqual([issued.notBefore, issued.notAfter], [notBefore, notAfter]);
    assert.deepEqual([leaf.validFromDate, leaf.validToDate], [notBefore, notAfter]);
    assert.match(issued.serialNumber, /^[0-9A-F]{40}$/);
  });

  const serialNumbers = {
    '0a1b': '0A1B',
    a1b: '0A1B',
    '9f00': '9F00',
    '00ff': 'FF',
    [`7f${'0'.repeat(38)}`]: `7F${'0'.repeat(38)}`,
  };
  for (const [asked, issuedAs] of Object.entries(serialNumbers)) {
    it(`writes serial number ${asked} as ${issuedAs}`, async () => {
      const issued = await authority.issue({ commonName: 'x', serialNumber: asked, notBefore, notAfter, keyPair });
      assert.equal(issued.serialNumber, issuedAs);
      assert.equal(new X509Certificate(issued.certificate).serialNumber, issuedAs);
    });
  }

  it('refuses a serial number that is not hexadecimal', async () => {
    const asked = authority.issue({ commonName: 'x', serialNumber: 'PUB_KEY_ID_1', notBefore, notAfter, keyPair });
    await assert.rejects(asked, RangeError);
  });

  it('issues certificates that have expired or are not yet valid', async () => {
    const past = await authority.issue({ commonName: 'x', notBefore: new Date(0), notAfter: new Date(1000), keyPair });
    assert.deepEqual(past.notAfter, new Date(1000));
    const future = new Date('2051-01-01T00:00:00Z');
    const later = await authority.issue({
      commonName: 'x',
      notBefore: future,
      notAfter: new Date('2055-01-01T00:00:00Z'),
      keyPair,
    });
    assert.deepEqual(later.notBefore, future);
  });

  it('generates a key of the length asked for', async () => {
    const issued = await authority.issue({ commonName: 'x', notBefore, notAfter, modulusLength: 1024 });
    assert.equal(issued.privateKey.asymmetricKeyDetails?.modulusLength, 1024);
  });
});

describe('a key pair', () => {
  it('is written in the PEM forms that platforms hand out', () => {
    assert.match(toPkcs8Pem(keyPair.privateKey), /^-----BEGIN PRIVATE KEY-----\n/);
    assert.match(toPkcs1Pem(keyPair.privateKey), /^-----BEGIN RSA PRIVATE KEY-----\n/);
    assert.match(toSpkiPem(keyPair.publicKey), /^-----BEGIN PUBLIC KEY-----\n/);
    assert.ok(
      createPrivateKey(toPkcs8Pem(keyPair.privateKey)).equals(createPrivateKey(toPkcs1Pem(keyPair.privateKey))),
    );
    assert.ok(createPublicKey(toSpkiPem(keyPair.publicKey)).equals(keyPair.publicKey));
  });
});
