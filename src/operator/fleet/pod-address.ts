// Which addresses of Pods are asked: never the machine itself, its link, or a group, whatever the status of a Pod says.
import { BlockList, isIPv4, isIPv6 } from 'node:net';

type Subnet = readonly [network: string, prefix: number];

const refused = {
  ipv4: blockList('ipv4', [
    ['0.0.0.0', 8],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['224.0.0.0', 3],
  ]),
  // By itself: Node takes every address of IPv4 for one of the subnet of those in another form.
  ipv6: blockList('ipv6', [
    ['::', 96],
    ['::ffff:0:0', 96],
    ['64:ff9b::', 96],
    ['fe80::', 10],
    ['ff00::', 8],
  ]),
};

function blockList(family: 'ipv4' | 'ipv6', subnets: readonly Subnet[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family);
  return list;
}

/** Whether it is an address, and one that a Pod of a cluster may have. */
export function isPodAddress(text: string): boolean {
  if (isIPv4(text)) return !refused.ipv4.check(text, 'ipv4');
  return isIPv6(text) && !text.includes('%') && !refused.ipv6.check(text, 'ipv6');
}
