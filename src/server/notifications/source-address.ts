// Where a request comes from: its peer, or what proxies that are configured as trusted say of theirs.
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** More proxies in a row than any path has. */
const maxHops = 16;

/** Whether an address is one of those, or in one of these CIDR ranges. */
function addressesIn(ranges: readonly string[]): (address: string) => boolean {
  // Apart: Node takes every address of IPv4 for one of `::ffff:0:0/96`, and so of `::/0`.
  const trusted = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = familyOf(address);
    if (prefix === undefined) trusted[family].addAddress(address, family);
    else trusted[family].addSubnet(address, Number(prefix), family);
  }
  return (address) => trusted[familyOf(address)].check(address, familyOf(address));
}

/** Whether the peer itself is a proxy that is trusted: what it writes into headers counts. */
export function isFromTrusted(ranges: readonly string[]): (request: IncomingMessage) => boolean {
  const isTrusted = addressesIn(ranges);
  return ({ socket }) => {
    const peer = plain(socket.remoteAddress ?? '');
    return isIP(peer) > 0 && isTrusted(peer);
  };
}

/** `ranges`: addresses, or CIDR ranges, whose `X-Forwarded-For` counts. */
export function sourceAddressOf(ranges: readonly string[]): (request: IncomingMessage) => string {
  const isTrusted = addressesIn(ranges);
  return ({ socket, headers }) => {
    let source = plain(socket.remoteAddress ?? '');
    // Each proxy writes its peer behind what it was told: only what trusted ones wrote counts.
    const told = String(headers['x-forwarded-for'] ?? '')
      .split(',')
      .slice(-maxHops);
    for (let next = told.pop(); next !== undefined && isIP(source) > 0 && isTrusted(source); next = told.pop()) {
      const address = plain(next.trim());
      if (isIP(address) === 0) break;
      source = address;
    }
    return networkOf(source);
  };
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** IPv4 as sockets for both families write it. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/** Who has one address of IPv6 has all of its /64. */
function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [withoutZone = ''] = address.split('%', 1);
  const [head = '', tail] = withoutZone.split('::');
  const left = head.split(':').filter((part) => part !== '');
  const right = (tail ?? '').split(':').filter((part) => part !== '');
  const gap = tail === undefined ? 0 : Math.max(8 - left.length - right.length, 0);
  const groups = [...left, ...Array<string>(gap).fill('0'), ...right];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
