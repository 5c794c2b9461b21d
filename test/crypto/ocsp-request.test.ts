// Requests to OCSP responders: OpenSSL understands them, and what it answers is understood.
import 'reflect-metadata'; // must come first: @peculiar/x509 looks for it while it is imported
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { readOcspResponse } from '../../src/crypto/ocsp-response.ts';
import { responderOf, writeOcspRequest } from '../../src/crypto/ocsp-request.ts';
import { makeAuthority, now } from '../support/mtls.ts';
import { certify, ocspSigning } from '../support/ocsp.ts';
import { answerWithOpenssl, type ResponderOptions, withoutOpenssl } from '../support/openssl-responder.ts';

const issuer = new X509Certificate((await makeAuthority(0)).certificate);
const { certificate: leaf } = await certify(0, 'leaf');
const delegate = await certify(0, 'delegate', { usages: [ocspSigning] });

describe('a request', { skip: withoutOpenssl }, () => {
  const cases: readonly (readonly [string, ResponderOptions, string | undefined])[] = [
    ['good', { good: [leaf] }, 'good'],
    ['revoked', { revoked: [leaf] }, 'revoked'],
    ['unknown', {}, 'unknown'],
    ['good, by key', { good: [leaf], options: ['-ndays', '1', '-resp_key_id'] }, 'good'],
    ['good, without an end', { good: [leaf], options: [] }, 'good'],
    ['good, without certificates', { good: [leaf], options: ['-ndays', '1', '-resp_no_certs'] }, 'good'],
    ['good, by a delegate', { good: [leaf], delegate }, 'good'],
    ['revoked, by a delegate', { revoked: [leaf], delegate }, 'revoked'],
    ['good, by a delegate that shows no certificate', { good: [leaf], delegate, options: ['-ndays', '1', '-resp_no_certs'] }, undefined], // prettier-ignore
    ['good, signed with SHA-1', { good: [leaf], options: ['-ndays', '1', '-rmd', 'sha1'] }, undefined],
    ['good, with a spoiled signature', { good: [leaf], options: ['-ndays', '1', '-badsig'] }, undefined],
  ];
  for (const [name, options, expected] of cases)
    it(`that OpenSSL answers with "${name}" is answered with ${expected ?? 'nothing that counts'}`, async (t) => {
      const answer = readOcspResponse(await answerWithOpenssl(t, 0, writeOcspRequest(leaf, issuer)!, options));
      assert.equal(answer?.about(leaf, issuer, now)?.status, expected);
    });
});

describe('the responder of a certificate', () => {
  it('is the one that it names, over HTTP', async () => {
    const named = async (responder: string) => responderOf((await certify(0, 'leaf', { responder })).certificate);
    assert.equal(await named('http://ocsp.example/a?b'), 'http://ocsp.example/a?b');
    assert.equal(await named('HTTP://ocsp.example'), 'HTTP://ocsp.example');
    for (const other of ['https://ocsp.example', 'ldap://ocsp.example', 'file:///etc/passwd', '', 'http://'])
      assert.equal(await named(other), undefined, other);
    assert.equal(responderOf(leaf), undefined);
  });

  it('is not what another text only looks like', async () => {
    const named = async (responder: string) => responderOf((await certify(0, 'leaf', { responder })).certificate);
    for (const text of ['x\nOCSP - URI:http://b.example', 'http://a.example b', 'http://a.example\r\nHost: b'])
      assert.equal(await named(text), undefined, text);
  });
});
