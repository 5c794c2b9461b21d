// What we sign for AWS is what AWS publishes: its test suite of Signature Version 4, and the worked example of its manual.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadSigV4 } from '../../../src/origins/aws/sigv4.ts';

const key = { id: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const now = new Date('2015-08-30T12:36:00Z');
const suite = { host: 'example.amazonaws.com', region: 'us-east-1', service: 'service', now };
const token =
  'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==';
const sigV4 = await loadSigV4();

const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

describe('a signature of version 4', () => {
  for (const [name, request, signedHeaders, signature] of [
    [
      'get-vanilla',
      { method: 'GET', path: '/', headers: {}, body: '' },
      'host;x-amz-date',
      '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    ],
    [
      'post-vanilla',
      { method: 'POST', path: '/', headers: {}, body: '' },
      'host;x-amz-date',
      '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    ],
    [
      'post-x-www-form-urlencoded',
      { method: 'POST', path: '/', headers: form, body: 'Param1=value1' },
      'content-type;host;x-amz-date',
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
    [
      'get-vanilla-query-order-key-case',
      { method: 'GET', path: '/?Param2=value2&Param1=value1', headers: {}, body: '' },
      'host;x-amz-date',
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
  ] as const)
    // prettier-ignore
    it(`is that of AWS' test suite: ${name}`, () => {
      assert.equal(
        sigV4(request, key, suite)['Authorization'],
        `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${signedHeaders}, Signature=${signature}`,
      );
    });

  it("is that of AWS' test suite with a lent key: post-sts-header-before", () => {
    const request = { method: 'POST', path: '/', headers: {}, body: '' };
    const headers = sigV4(request, { ...key, token }, suite);
    assert.equal(headers['X-Amz-Security-Token'], token);
    assert.match(
      headers['Authorization'] ?? '',
      /SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead$/,
    );
  });

  it("is that of the worked example in AWS' manual: ListUsers", () => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' };
    const request = { method: 'GET', path: '/?Action=ListUsers&Version=2010-05-08', headers, body: '' };
    assert.match(
      sigV4(request, key, { ...suite, host: 'iam.amazonaws.com', service: 'iam' })['Authorization'] ?? '',
      /SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7$/,
    );
  });

  it('is about the body, the target and the time', () => {
    const target = { 'X-Amz-Target': 'TrentService.Sign' };
    const one = { method: 'POST', path: '/', headers: target, body: '{}' };
    const signatures = [
      sigV4(one, key, suite),
      sigV4({ ...one, body: '{ }' }, key, suite),
      sigV4({ ...one, headers: { 'X-Amz-Target': 'TrentService.Decrypt' } }, key, suite),
      sigV4(one, key, { ...suite, now: new Date('2015-08-30T12:36:01Z') }),
    ].map(({ Authorization }) => Authorization);
    assert.equal(new Set(signatures).size, 4);
  });
});
