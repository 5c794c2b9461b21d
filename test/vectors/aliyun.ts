// Aliyun: percent-encoding, the text and the signature of an RPC call, and each stage of ACS3.
import { createHash } from 'node:crypto';
import { secretKey } from '../../src/crypto/mac.ts';
import {
  acs3Authorization,
  acs3Signature,
  acs3StringToSign,
  canonicalQuery,
  canonicalRequest,
  hashPayload,
  rpcSignature,
  rpcStringToSign,
} from '../../src/providers/aliyun/messages.ts';
import type { Pair } from '../../src/providers/shared/parameters.ts';
import { percentEncode } from '../../src/providers/shared/percent.ts';
import { Unusable } from './findings.ts';
import { isObject } from './read.ts';
import type { Situation } from './situation.ts';

/** A map, or a list of pairs where a name may stand twice. */
export function pairsOf(value: unknown): Pair[] {
  if (Array.isArray(value))
    return (value as unknown[]).map((pair) => {
      if (!Array.isArray(pair)) throw new Unusable('a list of parameters holds something else than pairs');
      return [String(pair[0]), String(pair[1] ?? '')];
    });
  const text = (one: unknown): string => (typeof one === 'string' ? one : JSON.stringify(one ?? ''));
  return isObject(value) ? Object.entries(value).map(([name, one]) => [name, one === null ? '' : text(one)]) : [];
}

const parameterNames = ['params', 'parameters', 'query', 'request_params'];
const queryNames = ['canonicalized_query', 'canonicalized_query_string', 'canonical_query', 'canonical_query_string'];

export async function checkPercentEncoding(situation: Situation): Promise<void> {
  const value = situation.need('value', 'text', 'input', 'plain');
  const encoded = situation.expectsText('percent_encoded', 'encoded', 'result', 'output', 'url_encoded');
  if (encoded !== undefined) situation.assert(percentEncode(value) === encoded, 'the encoded text differs');
}

export async function checkRpc(situation: Situation): Promise<void> {
  const method = situation.text('method', 'http_method') ?? '';
  const pairs = pairsOf(situation.input(...parameterNames));
  const text = rpcStringToSign(method, pairs);
  const expected = situation.expectsText('string_to_sign', 'stringToSign', 'sign_string');
  if (expected !== undefined) situation.assert(text === expected, 'the text to sign differs');
  const query = situation.expectsText(...queryNames);
  if (query !== undefined) situation.assert(canonicalQuery(pairs) === query, 'the canonical query differs');
  // Other parameters beside the first: `no_params_case` has its text under `no_params`.
  for (const [name, other] of Object.entries(situation.inputs)) {
    const [, key] = /^(.+)_case$/.exec(name) ?? [];
    const told = key === undefined || !isObject(other) ? undefined : situation.expectsText(key, name);
    if (told !== undefined) situation.assert(rpcStringToSign(method, pairsOf(other)) === told, `${name} differs`);
  }
  const secret = situation.text('access_key_secret', 'secret', 'accessKeySecret');
  const signature = situation.expectsText('signature', 'sign', 'Signature');
  const encoded = situation.expectsText('signature_encoded', 'encoded_signature', 'percent_encoded_signature');
  if (secret === undefined) return;
  const own = rpcSignature(secretKey(Buffer.from(`${secret}&`)), text);
  if (signature !== undefined) situation.assert(own === signature, 'the signature differs');
  if (encoded !== undefined) situation.assert(percentEncode(own) === encoded, 'the encoded signature differs');
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export async function checkAcs3(situation: Situation): Promise<void> {
  const headers = pairsOf(situation.input('headers', 'signed_headers'));
  const body = Buffer.from(situation.text('body', 'payload') ?? '');
  const query = pairsOf(situation.input(...parameterNames));
  const hashedPayload = situation.text('hashed_payload', 'payload_hash', 'x_acs_content_sha256') ?? hashPayload(body);
  const { text, signedHeaders } = canonicalRequest({
    method: situation.text('method') ?? '',
    path: situation.text('canonical_uri', 'path', 'pathname', 'uri') ?? '/',
    query,
    headers,
    hashedPayload,
  });
  const toSign = acs3StringToSign(text);
  const same = (what: string, own: string, ...names: string[]): void => {
    const expected = situation.expectsText(...names);
    if (expected !== undefined) situation.assert(own === expected, `${what} differs`);
  };
  same('the canonical request', text, 'canonical_request');
  same('the canonical query', canonicalQuery(query), ...queryNames);
  same('the list of headers', signedHeaders, 'signed_headers');
  same('the hash of the body', hashedPayload, 'hashed_payload', 'payload_hash', 'x_acs_content_sha256');
  same('the hash of the canonical request', sha256(text), 'hashed_canonical_request', 'canonical_request_hash');
  same('the text to sign', toSign, 'string_to_sign');
  const secret = situation.text('access_key_secret', 'secret');
  if (secret === undefined) return;
  const signature = acs3Signature(secretKey(Buffer.from(secret)), toSign);
  same('the signature', signature, 'signature');
  const id = situation.text('access_key_id', 'access_key') ?? '';
  same('the header', acs3Authorization(id, signedHeaders, signature), 'authorization');
}

/** The hash of a body alone. */
export async function checkPayloadHash(situation: Situation): Promise<void> {
  const hash = situation.expectsText('sha256', 'hash', 'hashed_payload', 'hex', 'result');
  if (hash === undefined) return;
  const own = hashPayload(Buffer.from(situation.need('text', 'body', 'payload', 'value')));
  situation.assert(own === hash.toLowerCase(), 'the hash differs');
}
