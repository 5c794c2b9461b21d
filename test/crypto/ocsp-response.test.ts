// Answers of OCSP responders: what the issuer or its delegate signed about this very certificate counts, while it is current; nothing else does.
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readOcspResponse } from '../../src/crypto/ocsp-response.ts';
import { toPkcs8Pem } from '../../src/testing/key-pair.ts';
import { keyPairs } from '../support/key-pairs.ts';
import { day, makeAuthority, makeImpostor, now } from '../support/mtls.ts';
import { type ResponseOptions, certify, makeResponse, makeStatement, ocspSigning } from '../support/ocsp.ts';

const pairs = await keyPairs();
const authorityOf = async (index: 0 | 1) => ({
  certificate: new X509Certificate((await makeAuthority(index)).certificate),
  privateKey: createPrivateKey(toPkcs8Pem(pairs[index]!.privateKey)),
});
const [authority, stranger] = [await authorityOf(0), await authorityOf(1)];
const { certificate: leaf } = await certify(0, 'leaf');
const { certificate: neighbour } = await certify(0, 'neighbour');
const delegate = await certify(0, 'delegate', { usages: [ocspSigning] });
const issuer = authority.certificate;
const about = { about: leaf, issuer, signer: authority };

/** What an answer says of the leaf at that time. */
const said = (options: Partial<ResponseOptions> = {}, at = now) =>
  readOcspResponse(makeResponse({ ...about, ...options }))?.about(leaf, issuer, at)?.status;

const after = (milliseconds: number) => new Date(now.getTime() + milliseconds);

describe('an answer', () => {
  it('of the issuer itself says good, revoked or unknown, by whatever name it has for itself and for the issuer', () => {
    for (const status of ['good', 'revoked', 'unknown'] as const)
      for (const namedBy of ['name', 'key'] as const)
        for (const digest of ['sha1', 'sha256'] as const) assert.equal(said({ status, namedBy, digest }), status);
    assert.equal(said({ digest: 'sha384' }), undefined);
  });

  it('about another certificate, or about that number of another issuer, says nothing', async () => {
    assert.equal(said({ about: neighbour }), undefined);
    assert.equal(said({ serialNumber: '01' }), undefined);
    assert.equal(said({ issuer: stranger.certificate }), undefined);
    const impostor = new X509Certificate(await makeImpostor(await makeAuthority(0)));
    assert.equal(said({ issuer: impostor }), undefined);
    const answer = readOcspResponse(makeResponse(about));
    assert.equal(answer?.about(leaf, stranger.certificate, now), undefined);
    assert.equal(answer?.about(neighbour, issuer, now), undefined);
  });

  it('compares serial numbers as numbers', () => {
    assert.equal(said({ serialNumber: `00${leaf.serialNumber}` }), 'good');
  });

  it('about several says of each what is said of it; of two things, the worse one', () => {
    const revoked = makeStatement({ ...about, about: neighbour, status: 'revoked' });
    const answer = readOcspResponse(makeResponse({ ...about, others: [revoked] }));
    assert.equal(answer?.about(leaf, issuer, now)?.status, 'good');
    assert.equal(answer.about(neighbour, issuer, now)?.status, 'revoked');
    for (const status of ['revoked', 'unknown'] as const)
      assert.equal(said({ others: [makeStatement({ ...about, status })] }), status);
  });

  it('counts from thisUpdate, five minutes of which are forgiven, until nextUpdate', () => {
    const [thisUpdate, nextUpdate] = [new Date('2026-03-01T00:00:00Z'), new Date('2026-03-02T00:00:00Z')];
    const at = (time: Date, offset: number) => said({ thisUpdate, nextUpdate }, new Date(time.getTime() + offset));
    assert.equal(at(thisUpdate, -300_001), undefined);
    assert.equal(at(thisUpdate, -300_000), 'good');
    assert.equal(at(nextUpdate, -1), 'good');
    assert.equal(at(nextUpdate, 0), undefined);
  });

  it('without nextUpdate counts for an hour', () => {
    const thisUpdate = new Date('2026-03-01T00:00:00Z');
    const at = (offset: number) => said({ thisUpdate, nextUpdate: null }, new Date(thisUpdate.getTime() + offset));
    assert.deepEqual([at(3_599_999), at(3_600_000)], ['good', undefined]);
  });

  it('that is out of date still takes back', () => {
    assert.equal(said({ status: 'revoked' }, after(400 * day)), 'revoked');
    assert.equal(said({ status: 'unknown' }, after(400 * day)), undefined);
  });

  it('without success has nothing to say', () => {
    // malformedRequest, internalError, tryLater, sigRequired, unauthorized.
    for (const outcome of [1, 2, 3, 5, 6])
      assert.equal(readOcspResponse(makeResponse({ ...about, outcome })), undefined);
  });

  it('with an extension that must be understood says nothing; any other, such as a nonce, may be there', () => {
    for (const place of ['answer', 'statement'] as const) {
      assert.equal(said({ extension: { place, critical: false } }), 'good');
      assert.equal(said({ extension: { place, critical: true } }), undefined);
    }
  });
});

describe('an answer signed by somebody else', () => {
  it('is believed of one whom the issuer has certified for it, while that certificate is valid', () => {
    const enclosed = [delegate.certificate];
    for (const namedBy of ['name', 'key'] as const) assert.equal(said({ signer: delegate, enclosed, namedBy }), 'good');
    assert.equal(said({ signer: delegate }), undefined);
    const nextUpdate = after(400 * day);
    assert.equal(said({ signer: delegate, enclosed, nextUpdate }, after(2 * day)), undefined);
    assert.equal(said({ signer: delegate, enclosed, status: 'revoked' }, after(2 * day)), undefined);
  });

  it('is not believed of a stranger, also not under the name of the issuer', async () => {
    assert.equal(said({ signer: stranger }), undefined);
    assert.equal(said({ signer: stranger, enclosed: [stranger.certificate] }), undefined);
    assert.equal(said({ signer: { ...authority, privateKey: stranger.privateKey } }), undefined);
    const foreign = await certify(1, 'delegate', { usages: [ocspSigning] });
    assert.equal(said({ signer: foreign, enclosed: [foreign.certificate] }), undefined);
    // What the issuer has certified beside it does not help.
    assert.equal(said({ signer: foreign, enclosed: [foreign.certificate, delegate.certificate] }), undefined);
    assert.equal(said({ signer: { ...delegate, privateKey: foreign.privateKey }, enclosed: [delegate.certificate] }), undefined); // prettier-ignore
  });

  it('is not believed of anybody whom the issuer has certified for something else', async () => {
    // clientAuth, anyExtendedKeyUsage.
    for (const usages of [undefined, ['1.3.6.1.5.5.7.3.2'], ['2.5.29.37.0']]) {
      const other = await certify(0, 'other', usages && { usages });
      assert.equal(said({ signer: other, enclosed: [other.certificate] }), undefined);
    }
    const both = await certify(0, 'both', { usages: ['1.3.6.1.5.5.7.3.2', ocspSigning] });
    assert.equal(said({ signer: both, enclosed: [both.certificate] }), 'good');
  });

  it('is not believed where SHA-1 is in the signature, of the answer or of whoever signs it', async () => {
    assert.equal(said({ signature: 'sha1' }), undefined);
    assert.equal(said({ signer: delegate, enclosed: [delegate.certificate], signature: 'sha1' }), undefined);
    const weak = await certify(0, 'weak', { usages: [ocspSigning], hash: 'SHA-1' });
    assert.equal(said({ signer: weak, enclosed: [weak.certificate] }), undefined);
  });
});

describe('any bytes', () => {
  const enclosed = [delegate.certificate];
  const statement = makeStatement(about);
  const answers = [makeResponse(about), makeResponse({ ...about, signer: delegate, enclosed })];

  it('are an answer or none: cut off anywhere, none', () => {
    for (const der of answers) {
      for (let end = 0; end < der.length; end += 1) assert.equal(readOcspResponse(der.subarray(0, end)), undefined);
      assert.equal(readOcspResponse(Buffer.concat([der, Buffer.of(0)])), undefined);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => readOcspResponse(bytes) === undefined),
      { numRuns: 2000 },
    );
  });

  it('with one bit changed never say more than they did', () => {
    for (const der of answers)
      for (let at = 0; at < der.length; at += 1)
        for (const bit of [0x01, 0x80]) {
          const changed = Buffer.from(der);
          changed[at]! ^= bit;
          const status = readOcspResponse(changed)?.about(leaf, issuer, now)?.status;
          // Nobody has signed what stands around what is said.
          assert.ok(status === undefined || (status === 'good' && changed.includes(statement)), `octet ${at}`);
        }
  });

  it('never take a certificate back that is good', () => {
    const der = makeResponse({ ...about, about: neighbour, status: 'revoked' });
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), (at, octet) => {
        const changed = Buffer.from(der);
        changed[at] = octet;
        return readOcspResponse(changed)?.about(leaf, issuer, now) === undefined;
      }),
      { numRuns: 2000 },
    );
  });
});
