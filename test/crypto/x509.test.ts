// Serial numbers compare in any form and go on the wire in one; links and fingerprints are facts of the bytes.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  certificateFingerprint,
  describeAlgorithm,
  isIssuedWithin,
  nameAttribute,
  normalizeSerial,
  publicKeyFingerprint,
  SignatureBudget,
  wireSerial,
} from '../../src/crypto/x509.ts';
import { createAuthority, generateKeyPair } from '../../src/testing/index.ts';
import { issue, makeAuthority, makeImpostor } from '../support/mtls.ts';
import { sm2Certificate, sm2PrivateKey } from '../support/sm2.ts';

const now = new Date('2026-03-01T00:00:00Z');
const validity = { notBefore: now, notAfter: new Date('2031-03-01T00:00:00Z') };
const [rootPair, leafPair] = await Promise.all([generateKeyPair(), generateKeyPair()]);
const authority = await createAuthority({ now, keyPair: rootPair });
const issued = await authority.issue({
  commonName: '1900000001',
  organization: '微信商户系统',
  serialNumber: '0ABC',
  keyPair: leafPair,
  ...validity,
});
const root = new X509Certificate(authority.certificate);
const leaf = new X509Certificate(issued.certificate);
const sm2 = new X509Certificate(sm2Certificate);

const serial = fc.stringMatching(/^[1-9A-F][0-9A-F]{0,39}$/);

describe('a serial number', () => {
  it('is looked for in no text that is longer than one in any form', () => {
    for (const unit of [':', '0', ' ', 'aB', '0x']) {
      const long = unit.repeat(500_000);
      // The same text, and not one that was made of it.
      assert.equal(normalizeSerial(long), long);
    }
    const spaced = `0x${Array.from({ length: 20 }, () => 'ab').join(' : ')}`;
    assert.equal(normalizeSerial(spaced), 'AB'.repeat(20));
  });

  it('is upper-case hex of even length on the wire, as the certificate itself prints it', () => {
    assert.equal(wireSerial('0x0a:bc'), '0ABC');
    assert.equal(wireSerial('abc'), '0ABC');
    assert.equal(wireSerial(leaf.serialNumber), leaf.serialNumber);
  });

  it('loses the sign byte and the padding that some tools print', () => {
    assert.equal(wireSerial('00F0ABC1'), 'F0ABC1');
    assert.equal(wireSerial('000000'), '00');
  });

  it('survives the round trip between its two forms', () => {
    fc.assert(
      fc.property(serial, (digits) => {
        assert.equal(normalizeSerial(wireSerial(digits)), digits);
        assert.equal(wireSerial(normalizeSerial(digits)), wireSerial(digits));
        assert.equal(wireSerial(digits).length % 2, 0);
      }),
    );
  });

  it('compares equal whatever its case, prefix, separators and leading zeros', () => {
    const separator = fc.constantFrom('', ':', ' ', '-');
    fc.assert(
      fc.property(serial, fc.nat(5), separator, fc.boolean(), fc.boolean(), (digits, zeros, between, lower, prefix) => {
        const padded = '0'.repeat(zeros) + digits;
        const spelt = (padded.match(/../g) ?? []).join(between) + (padded.length % 2 ? between + padded.slice(-1) : '');
        const written = (prefix ? '0x' : '') + (lower ? spelt.toLowerCase() : spelt);
        assert.equal(normalizeSerial(written), digits);
      }),
    );
  });
});

describe('a fingerprint', () => {
  it('of a certificate is the SHA-256 of its DER', () => {
    assert.equal(certificateFingerprint(leaf), leaf.fingerprint256.replaceAll(':', '').toLowerCase());
  });

  it('of a public key is that of its private half and of its certificate, and of no other', () => {
    const fingerprint = publicKeyFingerprint(leafPair.publicKey);
    assert.match(fingerprint, /^[0-9a-f]{64}$/);
    assert.equal(publicKeyFingerprint(leafPair.privateKey), fingerprint);
    assert.equal(publicKeyFingerprint(leaf.publicKey), fingerprint);
    assert.notEqual(publicKeyFingerprint(rootPair.publicKey), fingerprint);
  });
});

describe('an algorithm', () => {
  it('is described by its type and size', () => {
    assert.equal(describeAlgorithm(leafPair.privateKey), 'RSA-2048');
    for (const [namedCurve, name] of [['P-256', 'EC-P-256'], ['secp521r1', 'EC-P-521'], ['secp256k1', 'EC-secp256k1']] as const)
      assert.equal(describeAlgorithm(generateKeyPairSync('ec', { namedCurve }).publicKey), name); // prettier-ignore
  });

  it('that Node does not know, such as SM2, is described as unknown', () => {
    assert.equal(describeAlgorithm(sm2.publicKey), 'unknown');
    assert.equal(describeAlgorithm(createPublicKey(sm2PrivateKey)), 'unknown');
  });
});

describe('a name attribute', () => {
  it('is read by its exact name, in any script', () => {
    assert.equal(nameAttribute(leaf.subject, 'CN'), '1900000001');
    assert.equal(nameAttribute(leaf.subject, 'O'), '微信商户系统');
    assert.equal(nameAttribute(leaf.subject, 'OU'), undefined);
  });

  it('is the last of several, which is the most specific', () => {
    assert.equal(nameAttribute('CN=first\nO=x\nCN=last=one', 'CN'), 'last=one');
  });
});

describe('a trust bundle', () => {
  it('of one name and many keys costs no more signatures than a search may, for all certificates together', async () => {
    const named = await makeAuthority(0);
    const impostor = new X509Certificate(await makeImpostor(named));
    const ours = new X509Certificate((await issue(named, 'ours')).certificate);
    const bundle = Array.from({ length: 60 }, () => impostor);
    const budget = new SignatureBudget();
    const all = budget.left;
    for (let searched = 1; searched <= 20; searched += 1) {
      assert.equal(isIssuedWithin(ours, bundle, budget), false);
      assert.equal(Math.max(budget.left, 0), Math.max(all - 60 * searched, 0));
    }
    assert.equal(isIssuedWithin(ours, [ours], budget), true);
  });

  it('covers the certificate itself and what one of its certificates issued', () => {
    assert.equal(isIssuedWithin(leaf, [root]), true);
    assert.equal(isIssuedWithin(leaf, [sm2, root]), true);
    assert.equal(isIssuedWithin(leaf, [leaf]), true);
  });

  it('does not cover what an authority of the same name and another key issued', async () => {
    const impostor = await createAuthority({ now, keyPair: leafPair });
    const forged = await impostor.issue({ commonName: '1900000001', keyPair: leafPair, ...validity });
    assert.equal(isIssuedWithin(new X509Certificate(forged.certificate), [root]), false);
    assert.equal(isIssuedWithin(leaf, []), false);
    assert.equal(isIssuedWithin(sm2, [root]), false);
  });
});
