// What OpenSSL parses and cannot use is refused when it is read, not by a throw when it is first used.
import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import forge from 'node-forge';
import { readCertificates, readPrivateKey, readPublicKey } from '../../src/crypto/containers.ts';
import { nameAttribute } from '../../src/crypto/x509.ts';
import { createAuthority, generateKeyPair, toPkcs1Pem } from '../../src/testing/index.ts';
import { refusal } from '../support/wechatpay.ts';

const now = new Date('2026-03-01T00:00:00Z');
const keyPair = await generateKeyPair();
const { privateKey, publicKey } = keyPair;
const certificate = new X509Certificate((await createAuthority({ now, keyPair })).certificate);

/** The certificate with other bytes at the place where it has these. */
function withBytes(found: Uint8Array, changed: Uint8Array): Buffer {
  const der = Buffer.from(certificate.raw);
  const at = der.indexOf(found);
  assert.notEqual(at, -1);
  der.set(changed, at);
  return der;
}

/** The certificate without the attributes of its issuer (3) or subject (5). */
function withoutName(member: 3 | 5, of = certificate): Buffer {
  const asn1 = forge.asn1.fromDer(of.raw.toString('latin1'));
  const [tbs] = asn1.value as forge.asn1.Asn1[];
  (tbs?.value as forge.asn1.Asn1[])[member]!.value = [];
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');
}

/** The public key with one of its numbers changed, in SPKI. */
function withNumber(changed: { readonly n?: Buffer; readonly e?: Buffer }): KeyObject {
  const { n, e, kty } = publicKey.export({ format: 'jwk' });
  const numbers = { n: changed.n?.toString('base64url') ?? n, e: changed.e?.toString('base64url') ?? e };
  return createPublicKey({ key: { kty, ...numbers } as never, format: 'jwk' });
}

const withoutLastBit = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, -1), Buffer.of(bytes.at(-1)! & 0xfe)]);

const modulus = Buffer.from(publicKey.export({ format: 'jwk' }).n ?? '', 'base64url');
const evenModulus = withoutLastBit(modulus);
const spki = publicKey.export({ type: 'spki', format: 'der' });
const otherTag = Buffer.from(spki).fill(0x31, 24, 25);

describe('a certificate', () => {
  const damaged: Readonly<Record<string, Buffer>> = {
    'whose public key cannot be read': withBytes(spki, otherTag),
    'that begins at no time': withBytes(Buffer.from('260228000000Z'), Buffer.from('261332256199Z')),
    'without an issuer': withoutName(3),
    'without a subject': withoutName(5),
    'with an even modulus': withBytes(modulus, evenModulus),
  };
  for (const [what, der] of Object.entries(damaged)) {
    it(`${what} is certificate-malformed`, () => {
      assert.ok(new X509Certificate(der), 'OpenSSL parses it');
      assert.throws(() => readCertificates(der, 'the_file'), refusal('certificate-malformed'));
    });
  }
});

describe('a certificate with an empty subject', () => {
  it('is one where other names say whose it is', async () => {
    const { certificate: pem } = await (await createAuthority({ now, keyPair })).issue({ commonName: '', hostNames: ['shop.example'], keyPair }); // prettier-ignore
    const [read] = readCertificates(withoutName(5, new X509Certificate(pem)), 'the_file');
    assert.equal(read.checkHost('shop.example'), 'shop.example');
    assert.equal(nameAttribute(read.subject, 'CN'), undefined);
  });
});

describe('a public key', () => {
  const damaged: Readonly<Record<string, KeyObject>> = {
    'with an even modulus': withNumber({ n: evenModulus }),
    'with the exponent 0': withNumber({ e: Buffer.of(0) }),
    'with the exponent 1, which encrypts nothing and lets everybody sign': withNumber({ e: Buffer.of(1) }),
    'with an exponent larger than 64 bits, which OpenSSL may refuse when the key is used': withNumber({
      e: Buffer.alloc(9, 1),
    }),
    'with an even exponent': withNumber({ e: Buffer.of(1, 0, 0) }),
  };
  for (const [what, key] of Object.entries(damaged)) {
    it(`${what} is public-key-malformed`, () => {
      const der = key.export({ type: 'spki', format: 'der' });
      assert.throws(() => readPublicKey(der, 'the_file'), refusal('public-key-malformed'));
    });
  }

  it('with the exponent 3 is one', () => {
    const der = withNumber({ e: Buffer.of(3) }).export({ type: 'spki', format: 'der' });
    assert.equal(readPublicKey(der, 'the_file').type, 'public');
  });
});

it('a private key with an even modulus is private-key-malformed', () => {
  const asn1 = forge.asn1.fromDer(privateKey.export({ type: 'pkcs1', format: 'der' }).toString('latin1'));
  (asn1.value as forge.asn1.Asn1[])[1]!.value = `\0${evenModulus.toString('latin1')}`;
  const der = Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');
  assert.throws(() => readPrivateKey(der, 'the_file'), refusal('private-key-malformed'));
  assert.ok(readPrivateKey(Buffer.from(toPkcs1Pem(privateKey)), 'the_file').equals(privateKey));
});
