// Revocation lists: what their issuer signed counts, what is old names and does not clear, and no bytes make the reader throw anything else.
import 'reflect-metadata'; // must come first: @peculiar/x509 looks for it while it is imported
import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { Extension, X509CertificateGenerator } from '@peculiar/x509';
import fc from 'fast-check';
import { readDer } from '../../src/crypto/der.ts';
import { readRevocationList, revocationOf } from '../../src/crypto/revocation.ts';
import { PaycertError } from '../../src/errors.ts';
import { issue, makeAuthority, now } from '../support/mtls.ts';
import { makeList } from '../support/revocation.ts';

const [authority, stranger] = [await makeAuthority(0), await makeAuthority(1)];
const issued = [await issue(authority, 'taken'), await issue(authority, 'kept', { serialNumber: '00ab' })] as const;
const [taken, kept] = [new X509Certificate(issued[0].certificate), new X509Certificate(issued[1].certificate)];
const [issuer, other] = [new X509Certificate(authority.certificate), new X509Certificate(stranger.certificate)];
const der = await makeList(0, [taken.serialNumber]);
const list = readRevocationList(der, 'ca.crl');
const refused = { code: 'revocation-list-malformed', field: 'ca.crl' };
const read = (bytes: Uint8Array) => () => readRevocationList(bytes, 'ca.crl');

describe('a revocation list', () => {
  it('takes back what it names, and clears what it does not', async () => {
    assert.equal((await revocationOf(taken, issuer, [list]))(now), 'revoked');
    assert.equal((await revocationOf(kept, issuer, [list]))(now), 'good');
  });

  it('compares serial numbers as numbers', async () => {
    const short = readRevocationList(await makeList(0, ['ab']), 'ca.crl');
    assert.equal((await revocationOf(kept, issuer, [short]))(now), 'revoked');
  });

  it('of somebody else, or signed by somebody else in that name, says nothing', async () => {
    assert.equal((await revocationOf(taken, other, [list]))(now), 'unknown');
    const forged = await makeList(1, [taken.serialNumber], { issuer: 'CN=Authority 0, O=Tenpay.com' });
    assert.equal((await revocationOf(taken, issuer, [readRevocationList(forged, 'ca.crl')]))(now), 'unknown');
    const renamed = await makeList(0, [taken.serialNumber], { issuer: 'CN=Somebody' });
    assert.equal((await revocationOf(taken, issuer, [readRevocationList(renamed, 'ca.crl')]))(now), 'unknown');
  });

  it('that is out of date still takes back, and clears nobody', async () => {
    const { thisUpdate, nextUpdate } = { thisUpdate: new Date(now.getTime() - 1), nextUpdate: now };
    const old = readRevocationList(await makeList(0, [taken.serialNumber], { thisUpdate, nextUpdate }), 'ca.crl');
    assert.equal((await revocationOf(taken, issuer, [old]))(now), 'revoked');
    assert.equal((await revocationOf(kept, issuer, [old]))(now), 'unknown');
    assert.equal((await revocationOf(kept, issuer, [old, list]))(now), 'good');
  });

  it('with one bit changed is not believed', async () => {
    for (let at = 0; at < der.length; at += 7) {
      const changed = Buffer.from(der);
      changed[at]! ^= 1;
      try {
        assert.notEqual((await revocationOf(kept, issuer, [readRevocationList(changed, 'ca.crl')]))(now), 'good');
      } catch (error) {
        assert.ok(error instanceof PaycertError && error.code === refused.code, String(error));
      }
    }
  });

  it('that says it is signed as its issuer’s key cannot sign is not believed', async () => {
    const keyPair = generateKeyPairSync('ed25519');
    const name = 'CN=Modern';
    const modern = await X509CertificateGenerator.createSelfSigned({
      name,
      keys: {
        privateKey: keyPair.privateKey.toCryptoKey({ name: 'Ed25519' }, false, ['sign']),
        publicKey: keyPair.publicKey.toCryptoKey({ name: 'Ed25519' }, true, ['verify']),
      },
    });
    const forged = readRevocationList(await makeList(0, [taken.serialNumber], { issuer: name }), 'ca.crl');
    assert.equal(
      (await revocationOf(taken, new X509Certificate(Buffer.from(modern.rawData)), [forged]))(now),
      'unknown',
    );
  });

  it('that is signed with SHA-1, or means something of its own, is refused', async () => {
    assert.throws(read(await makeList(0, [], { hash: 'SHA-1' })), refused);
    const number = new Uint8Array([0x02, 0x01, 0x01]);
    assert.throws(read(await makeList(0, [], { extensions: [new Extension('2.5.29.27', true, number)] })), refused);
    const direct = new Uint8Array([0x30, 0x03, 0x81, 0x01, 0xff]);
    const indirect = new Uint8Array([0x30, 0x03, 0x84, 0x01, 0xff]);
    assert.ok(read(await makeList(0, [], { extensions: [new Extension('2.5.29.28', true, direct)] }))());
    assert.throws(read(await makeList(0, [], { extensions: [new Extension('2.5.29.28', true, indirect)] })), refused);
    assert.ok(read(await makeList(0, [], { extensions: [new Extension('2.5.29.20', false, number)] }))());
  });

  it('of any bytes, cut off or changed, is read or refused by its code', () => {
    for (let end = 0; end < der.length; end += 1) assert.throws(read(der.subarray(0, end)), refused);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => assert.throws(read(bytes), refused)),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), (at, octet) => {
        const changed = Buffer.from(der);
        changed[at] = octet;
        try {
          read(changed)();
        } catch (error) {
          assert.ok(error instanceof PaycertError && error.code === refused.code, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('DER', () => {
  it('has one form: lengths that are indefinite, too long or cut off are refused', () => {
    for (const hex of ['30', '3080', '308100', '30817f', '30820080', '3085000000000100', '3001', '1f0100', '308201'])
      assert.throws(() => readDer(Buffer.from(hex, 'hex')), { name: 'DerError' }, hex);
    assert.deepEqual(
      readDer(Buffer.from('30000500', 'hex')).map(({ tag }) => tag),
      [0x30, 0x05],
    );
  });
});
