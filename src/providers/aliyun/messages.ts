// The byte-exact texts of Aliyun OpenAPI: the RPC signature 1.0 and the signature V3 (ACS3-HMAC-SHA256).
import { createHash, type KeyObject } from 'node:crypto';
import { hmac } from '../../crypto/mac.ts';
import { joinPairs, type Pair, sortPairs } from '../shared/parameters.ts';
import { percentEncode } from '../shared/percent.ts';

/** Times are UTC to the second: with milliseconds the response is InvalidTimeStamp.Format. */
export const timestamp = (now: Date): string => `${now.toISOString().slice(0, 19)}Z`;

/** Every parameter but `Signature`, empty values too: `k=v` encoded, in byte order, joined by `&`. */
export function canonicalQuery(pairs: readonly Pair[]): string {
  return joinPairs(sortPairs(pairs), percentEncode);
}

/** METHOD & %2F & the canonical query, encoded once more. */
export function rpcStringToSign(method: string, parameters: readonly Pair[]): string {
  return `${method}&${percentEncode('/')}&${percentEncode(canonicalQuery(parameters))}`;
}

/** Base64 of HMAC-SHA1 under the secret followed by `&`: `key` holds both. */
export function rpcSignature(key: KeyObject, stringToSign: string): string {
  return hmac('sha1', key, stringToSign).toString('base64');
}

export const acs3 = 'ACS3-HMAC-SHA256';

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** What `x-acs-content-sha256` holds; an empty body has a hash too. */
export const hashPayload = (body: Uint8Array): string => sha256(body);

export interface CanonicalRequest {
  readonly text: string;
  readonly signedHeaders: string;
}

/**
 * METHOD ⏎ PATH ⏎ QUERY ⏎ HEADERS ⏎ SIGNED HEADERS ⏎ HASH OF THE BODY. Each header line ends in LF, so that an empty
 * line follows them. Names that differ in case are one header, whose values are sorted and joined by commas.
 */
export function canonicalRequest(request: {
  readonly method: string;
  readonly path: string;
  readonly query: readonly Pair[];
  readonly headers: readonly Pair[];
  readonly hashedPayload: string;
}): CanonicalRequest {
  const byName = Map.groupBy(request.headers, ([name]) => name.toLowerCase());
  const names = [...byName.keys()].sort();
  const lines = names.map((name) => {
    const values = byName.get(name)?.map(([, value]) => value.trim()) ?? [];
    return `${name}:${values.sort().join(',')}\n`;
  });
  const signedHeaders = names.join(';');
  const { method, path, query, hashedPayload } = request;
  const text = [method, path, canonicalQuery(query), lines.join(''), signedHeaders, hashedPayload].join('\n');
  return { text, signedHeaders };
}

/** ACS3-HMAC-SHA256 ⏎ hash of the canonical request. */
export const acs3StringToSign = (canonical: string): string => `${acs3}\n${sha256(canonical)}`;

/** Hex of HMAC-SHA256 under the secret alone. */
export function acs3Signature(key: KeyObject, stringToSign: string): string {
  return hmac('sha256', key, stringToSign).toString('hex');
}

export function acs3Authorization(accessKeyId: string, signedHeaders: string, signature: string): string {
  return `${acs3} Credential=${accessKeyId},SignedHeaders=${signedHeaders},Signature=${signature}`;
}
