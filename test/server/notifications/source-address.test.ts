// The source of a request: what trusted proxies say, and nothing that a stranger wrote before them.
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { sourceAddressOf } from '../../../src/server/notifications/source-address.ts';

const of = (remoteAddress: string, told: string | undefined, trusted: readonly string[] = ['10.0.0.0/8', 'fd00::/8']) =>
  sourceAddressOf(trusted)({ socket: { remoteAddress }, headers: { 'x-forwarded-for': told } } as unknown as IncomingMessage); // prettier-ignore

describe('the source of a request', () => {
  for (const [what, peer, told, expected] of [
    ['is its peer where nothing is told', '203.0.113.7', undefined, '203.0.113.7'],
    ['is its peer where the peer is no proxy of ours, whatever it says', '203.0.113.7', '1.2.3.4', '203.0.113.7'],
    ['is what a trusted proxy says', '10.1.2.3', '203.0.113.7', '203.0.113.7'],
    ['is the last that no trusted proxy is', '10.1.2.3', '6.6.6.6, 203.0.113.7, 10.9.9.9', '203.0.113.7'],
    ['is the proxy where it says nothing that is an address', '10.1.2.3', 'unknown', '10.1.2.3'],
    ['is found behind IPv4 in IPv6', '::ffff:10.1.2.3', '::ffff:203.0.113.7', '203.0.113.7'],
    ['is a network of IPv6', 'fd00::1', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['is the same network in short', 'fd00::1', '2001:db8:1:2::9', '2001:db8:1:2'],
    ['is short where its zeros are', '2001:db8::9', undefined, '2001:db8:0:0'],
    ['is nothing where the peer has gone', '', '1.2.3.4', ''],
    ['is not lost behind thousands of commas', '10.1.2.3', `${','.repeat(5000)}203.0.113.7`, '203.0.113.7'],
  ] as const)
    it(what, () => assert.equal(of(peer, told), expected));

  it('is not believed of IPv4 because all of IPv6 is trusted', () => {
    assert.equal(of('203.0.113.7', '1.2.3.4', ['::/0']), '203.0.113.7');
    assert.equal(of('fd00::1', '1.2.3.4', ['::/0']), '1.2.3.4');
  });

  it('is its peer where no proxy is trusted', () => assert.equal(of('10.1.2.3', '1.2.3.4', []), '10.1.2.3'));
});
