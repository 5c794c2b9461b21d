// Asks an OCSP responder over HTTP (RFC 5019 §5). Its address comes out of a certificate, so what it can reach is bounded.
import type { BlockList } from 'node:net';
import { readOcspResponse } from '../crypto/ocsp-response.ts';
import { refusedAddresses } from './addresses.ts';
import { exchange } from './download.ts';

/**
 * Asks an OCSP responder: `address` is what a certificate names, `request` the DER bytes to send. Resolves with the DER bytes of the
 * response, `undefined` if none is available; `signal` is aborted when nobody waits for it any more. What it returns is verified.
 * @example
 * import { type AskResponder, startPaycert } from 'paycert';
 *
 * const askResponder: AskResponder = async (address, request, signal) => {
 *   const headers = { 'Content-Type': 'application/ocsp-request', 'X-Responder': address };
 *   const response = await fetch('http://ocsp-proxy.example/', { method: 'POST', headers, body: Buffer.from(request), signal });
 *   return response.ok ? response.bytes() : undefined;
 * };
 * await using other = await startPaycert([], { askResponder });
 */
export type AskResponder = (
  address: string,
  request: Uint8Array,
  signal: AbortSignal,
) => Promise<Uint8Array | undefined>;

/** A response with the certificates of its signer takes a few kilobytes. */
const maxBytes = 64 * 1024;

/**
 * GET first, as responders and their caches know it; then POST, which is all that some know. The list is asked for each address that
 * is connected to, so that a name cannot come to mean another one. Redirects are not followed.
 */
export function createAsker(refused: () => BlockList): AskResponder {
  return async (address, question, signal) => {
    const url = URL.parse(address);
    if (url?.protocol !== 'http:' || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
      return undefined;
    const ask = async (
      to: URL,
      more: { method?: string; headers?: Readonly<Record<string, string>>; body?: Uint8Array },
    ) => {
      const reply = await exchange(to, { refused: refused(), maxBytes, signal, ...more });
      return reply === undefined || reply.bytes.length === 0 ? undefined : reply.bytes;
    };
    const got = await ask(toGet(url, question), {});
    if (got !== undefined && readOcspResponse(got) !== undefined) return got;
    const headers = { 'content-type': 'application/ocsp-request' };
    return ask(url, { method: 'POST', headers, body: question });
  };
}

/** {url}/{base64 of the request}, encoded for a path. */
function toGet({ href }: URL, question: Uint8Array): URL {
  const url = new URL(href);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${encodeURIComponent(Buffer.from(question).toString('base64'))}`;
  return url;
}

export const askResponder: AskResponder = createAsker(refusedAddresses);
