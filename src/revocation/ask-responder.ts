// Asks an OCSP responder over HTTP (RFC 5019 §5). Its address comes out of a certificate, so what it can reach is bounded.
import { type IncomingMessage, request, type RequestOptions } from 'node:http';
import { BlockList, type TcpNetConnectOpts } from 'node:net';
import { networkInterfaces } from 'node:os';
import { readOcspResponse } from '../crypto/ocsp-response.ts';

/** The bytes of an answer, or nothing where there is none to be had. */
export type AskResponder = (
  address: string,
  request: Uint8Array,
  signal: AbortSignal,
) => Promise<Uint8Array | undefined>;

/** An answer with the certificates of whoever signs it takes a few kilobytes. */
const maxBytes = 64 * 1024;

/**
 * This pod's own ports, where other sidecars take commands without asking who sends them, and the metadata services of clouds, which
 * hand out credentials: AWS, Google, Tencent and most others on 169.254/16, Alibaba, Azure, Oracle. Also through NAT64 (RFC 6052).
 */
const refusedNetworks = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.192', 32],
  ['::', 127],
  ['fe80::', 10],
  ['fd00:ec2::254', 128],
  ['64:ff9b::', 104],
  ['64:ff9b::7f00:0', 104],
  ['64:ff9b::a9fe:0', 112],
  ['64:ff9b::6464:64c8', 128],
] as const;

/** Those, and the addresses that this pod has now: it listens there as on its loopback. */
export function refusedAddresses(): BlockList {
  const list = new BlockList();
  const family = (address: string) => (address.includes(':') ? 'ipv6' : 'ipv4');
  for (const [network, prefix] of refusedNetworks) list.addSubnet(network, prefix, family(network));
  for (const { address } of Object.values(networkInterfaces()).flatMap((one) => one ?? []))
    list.addAddress(address, family(address));
  return list;
}

/**
 * GET first, as responders and their caches know it; then POST, which is all that some know. The list is asked for each address that
 * is connected to, so that a name cannot come to mean another one. Redirects are not followed.
 */
export function createAsker(refused: () => BlockList): AskResponder {
  return async (address, question, signal) => {
    const url = URL.parse(address);
    if (url?.protocol !== 'http:' || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
      return undefined;
    const options: Options = { agent: false, blockList: refused(), signal };
    const got = await send(toGet(url, question), options);
    if (got !== undefined && readOcspResponse(got) !== undefined) return got;
    return send(url, { ...options, method: 'POST', headers: { 'content-type': 'application/ocsp-request' } }, question);
  };
}

type Options = RequestOptions & Pick<TcpNetConnectOpts, 'blockList'>;

/** {url}/{base64 of the request}, encoded for a path. */
function toGet({ href }: URL, question: Uint8Array): URL {
  const url = new URL(href);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${encodeURIComponent(Buffer.from(question).toString('base64'))}`;
  return url;
}

async function send(url: URL, options: Options, body?: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(url, options, resolve).on('error', reject).end(body);
    });
    return await readBody(response);
  } catch (error) {
    // What the network and the parser of HTTP say; a bug has no code.
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

export const askResponder: AskResponder = createAsker(refusedAddresses);

async function readBody(response: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (response.statusCode !== 200) response.destroy();
  else
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      length += chunk.byteLength;
      // Leaving the loop ends the connection.
      if (length > maxBytes) return undefined;
    }
  return length === 0 ? undefined : Buffer.concat(chunks);
}
