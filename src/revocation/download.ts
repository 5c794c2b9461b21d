// One HTTP exchange with a stranger: every connection is asked for its address, and the body is bounded.
import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestSecure, type RequestOptions } from 'node:https';
import type { BlockList, TcpNetConnectOpts } from 'node:net';
import { createLookup } from '../system/lookup.ts';
import { responseOf } from '../system/response-of.ts';
import { joinInTurns } from '../turns.ts';

export type ExchangeOptions = Pick<RequestOptions, 'method' | 'headers'> & {
  /** Asked for each address that is connected to, so that a name cannot come to mean another one. */
  readonly refused: BlockList;
  readonly body?: Uint8Array;
  readonly maxBytes: number;
  /** Awaited before more than that of a response is read. */
  readonly large?: { readonly bytes: number; readonly wait: () => Promise<void> };
  readonly signal: AbortSignal;
};

export interface Reply {
  readonly status: number;
  readonly location: string | undefined;
  /** Of a 200: what it holds. Empty for every other status. */
  readonly bytes: Buffer;
}

const lookup = createLookup();

/** Undefined where the network, TLS or the parser of HTTP says no, or there is more than may be. Redirects are not followed. */
export async function exchange(
  url: URL,
  { refused, body, maxBytes, large, signal, ...rest }: ExchangeOptions,
): Promise<Reply | undefined> {
  const options: RequestOptions & Pick<TcpNetConnectOpts, 'blockList'> = {
    ...rest,
    agent: false,
    blockList: refused,
    lookup,
    signal,
  };
  const request = url.protocol === 'https:' ? requestSecure : requestPlain;
  try {
    const response = await responseOf(request(url, options), body);
    const { statusCode: status = 0, headers } = response;
    if (status !== 200) response.destroy();
    const bytes = status === 200 ? await readBody(response, maxBytes, large) : Buffer.alloc(0);
    return bytes && { status, location: headers.location, bytes };
  } catch (error) {
    // What the network and the parser of HTTP say; a bug has no code.
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

async function readBody(
  response: IncomingMessage,
  maxBytes: number,
  large: ExchangeOptions['large'],
): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let isLarge = false;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.byteLength;
    // Leaving the loop ends the connection.
    if (length > maxBytes) return undefined;
    if (large === undefined || isLarge || length <= large.bytes) continue;
    isLarge = true;
    await large.wait();
  }
  return joinInTurns(chunks, length);
}

const maxRedirects = 3;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface Refused {
  /** For what the configuration names. */
  readonly configured: BlockList;
  /** For where that leads. */
  readonly others: BlockList;
}

/** What a GET gives, through at most three redirects. A redirect that stays with the same host and port is as configured. */
export async function download(
  url: string,
  refused: Refused,
  options: Pick<ExchangeOptions, 'maxBytes' | 'large' | 'signal'>,
): Promise<Buffer | undefined> {
  const configured = URL.parse(url);
  let next = configured;
  for (let followed = 0; next !== null && followed <= maxRedirects; followed++) {
    if (!/^https?:$/.test(next.protocol) || next.username !== '' || next.password !== '') return undefined;
    const isConfigured = next.origin === configured?.origin;
    const reply: Reply | undefined = await exchange(next, {
      refused: isConfigured ? refused.configured : refused.others,
      // A list is not compressed: a small response must not become a large one.
      headers: { 'accept-encoding': 'identity' },
      ...options,
    });
    if (reply?.status === 200) return reply.bytes;
    if (reply === undefined || reply.location === undefined || !redirects.has(reply.status)) return undefined;
    next = URL.parse(reply.location, next.href);
  }
  return undefined;
}
