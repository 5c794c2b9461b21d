// The texts that Aliyun wants signed are exact to the byte.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { secretKey } from '../../../src/crypto/mac.ts';
import {
  acs3StringToSign,
  canonicalQuery,
  canonicalRequest,
  rpcSignature,
  rpcStringToSign,
  timestamp,
} from '../../../src/providers/aliyun/messages.ts';

describe('the text of an RPC call', () => {
  it('is sorted, encoded, and encoded once more; empty values stay', () => {
    const text = rpcStringToSign('GET', [
      ['b', "!'()* ~+/"],
      ['a', ''],
      ['B', '中'],
    ]);
    assert.equal(text, 'GET&%2F&B%3D%25E4%25B8%25AD%26a%3D%26b%3D%2521%2527%2528%2529%252A%2520~%252B%252F');
  });

  it('signs to the value in the vendor’s oldest documented example', () => {
    const text = rpcStringToSign('GET', [
      ['AccessKeyId', 'testid'],
      ['Action', 'DescribeRegions'],
      ['Format', 'XML'],
      ['SignatureMethod', 'HMAC-SHA1'],
      ['SignatureNonce', '3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf'],
      ['SignatureVersion', '1.0'],
      ['Timestamp', '2016-02-23T12:46:24Z'],
      ['Version', '2014-05-26'],
    ]);
    assert.equal(rpcSignature(secretKey(Buffer.from('testsecret&')), text), 'OLeaidS1JvxuMvnyHOwuJ+uX5qY=');
  });

  it('has times in UTC to the second', () => {
    assert.equal(timestamp(new Date('2026-03-01T08:00:00.999+08:00')), '2026-03-01T00:00:00Z');
  });
});

describe('a canonical request', () => {
  const request = (headers: readonly (readonly [string, string])[]) =>
    canonicalRequest({ method: 'GET', path: '/', query: [], headers, hashedPayload: 'h' });

  it('has a line for each part, and an empty one after the headers', () => {
    const { text, signedHeaders } = request([
      ['x-acs-b', ' 2 '],
      ['Host', 'h'],
    ]);
    assert.equal(text, 'GET\n/\n\nhost:h\nx-acs-b:2\n\nhost;x-acs-b\nh');
    assert.equal(signedHeaders, 'host;x-acs-b');
    assert.match(acs3StringToSign(text), /^ACS3-HMAC-SHA256\n[0-9a-f]{64}$/);
  });

  it('joins the values of names that differ in case, sorted', () => {
    const { text } = request([
      ['X-Acs-A', '2'],
      ['x-acs-a', '1'],
    ]);
    assert.equal(text, 'GET\n/\n\nx-acs-a:1,2\n\nx-acs-a\nh');
  });

  it('keeps the equals sign of an empty value', () => {
    assert.equal(
      canonicalQuery([
        ['b', ''],
        ['a', '1 2'],
      ]),
      'a=1%202&b=',
    );
  });
});
