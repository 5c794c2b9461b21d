// Where a download must not lead: what this pod and its cloud serve to their neighbours. One table, for lists and for responders.
import { BlockList } from 'node:net';
import { networkInterfaces } from 'node:os';

interface Network {
  readonly address: string;
  readonly prefix: number;
  /** `self`: this pod, where other sidecars take commands without asking who sends them. `metadata`: what hands out credentials. */
  readonly kind: 'self' | 'metadata';
}

/**
 * The loopback, links, and the metadata services of clouds: AWS, Google, Tencent and most others on 169.254/16, Alibaba, Azure,
 * Oracle. Also through NAT64 (RFC 6052).
 */
const networks: readonly Network[] = [
  { address: '0.0.0.0', prefix: 8, kind: 'self' },
  { address: '127.0.0.0', prefix: 8, kind: 'self' },
  { address: '::', prefix: 127, kind: 'self' },
  { address: '64:ff9b::', prefix: 104, kind: 'self' },
  { address: '64:ff9b::7f00:0', prefix: 104, kind: 'self' },
  { address: '169.254.0.0', prefix: 16, kind: 'metadata' },
  { address: '100.100.100.200', prefix: 32, kind: 'metadata' },
  { address: '168.63.129.16', prefix: 32, kind: 'metadata' },
  { address: '192.0.0.192', prefix: 32, kind: 'metadata' },
  { address: 'fe80::', prefix: 10, kind: 'metadata' },
  { address: 'fd00:ec2::254', prefix: 128, kind: 'metadata' },
  { address: '64:ff9b::a9fe:0', prefix: 112, kind: 'metadata' },
  { address: '64:ff9b::6464:64c8', prefix: 128, kind: 'metadata' },
];

const familyOf = (address: string) => (address.includes(':') ? 'ipv6' : 'ipv4');

function listOf(all: readonly Network[]): BlockList {
  const list = new BlockList();
  for (const { address, prefix } of all) list.addSubnet(address, prefix, familyOf(address));
  return list;
}

/** For an address that somebody else chose, in a certificate or a redirect: the table, and where this pod itself listens. */
export function refusedAddresses(): BlockList {
  const list = listOf(networks);
  for (const { address } of Object.values(networkInterfaces()).flatMap((one) => one ?? []))
    list.addAddress(address, familyOf(address));
  return list;
}

/** For an address that the configuration names: it may be this pod's own. Nothing that is wanted is on a metadata service. */
export const refusedThoughConfigured = (): BlockList => listOf(networks.filter(({ kind }) => kind === 'metadata'));
