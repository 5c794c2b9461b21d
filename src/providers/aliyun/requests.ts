// Requests to Aliyun OpenAPI with their signature: RPC 1.0 for plain parameters, ACS3 for everything else.
import type { KeyObject } from 'node:crypto';
import { requestInvalid } from '../../errors.ts';
import { header, signedHost, splitUrl, withoutHeaders } from '../shared/http.ts';
import { type Pair, queryPairs } from '../shared/parameters.ts';
import { percentEncode } from '../shared/percent.ts';
import type { AuthorizedRequest, Moment, RequestToAuthorize } from '../provider.ts';
import { take } from '../takes.ts';
import {
  acs3Authorization,
  acs3Signature,
  acs3StringToSign,
  canonicalQuery,
  canonicalRequest,
  hashPayload,
  rpcSignature,
  rpcStringToSign,
  timestamp,
} from './messages.ts';
import { takes } from './takes.ts';

export interface AccessKey {
  readonly id: string;
  /** What names it to people: the id, where it may be shown. */
  readonly keyId: string;
  /** The secret, which signs ACS3. */
  readonly secret: KeyObject;
  /** The secret followed by `&`, which signs RPC. */
  readonly rpcSecret: KeyObject;
  readonly securityToken?: string;
}

/** What the signature is about: written here and nowhere else. */
export const rpcOwn = [
  'AccessKeyId',
  'Signature',
  'SignatureMethod',
  'SignatureNonce',
  'SignatureVersion',
  'SecurityToken',
];

/** Signature version 1.0: every parameter is signed, those of the signature itself among them. */
export function authorizeRpc(key: AccessKey, request: RequestToAuthorize, { now, nonce }: Moment): AuthorizedRequest {
  const { method: given = 'POST', url, apiMethod: action, parameters } = take(request, takes.authorize.RPC);
  const method = given.toUpperCase();
  if (method !== 'POST' && method !== 'GET') throw requestInvalid('method', 'of an RPC call is GET or POST');
  const { origin, path, query } = splitUrl(url);
  if (path !== '/' || query !== '')
    throw requestInvalid('url', 'of an RPC call ends with its host: parameters hold the rest');
  const own = [...rpcOwn, 'Action', 'Timestamp'].find((name) => name in parameters);
  if (own !== undefined) throw requestInvalid(`parameters.${own}`, 'is set by paycert, or given as apiMethod');
  if (parameters['Version'] === undefined) throw requestInvalid('parameters.Version', 'is missing');
  const pairs: Pair[] = Object.entries({
    Format: 'JSON',
    ...parameters,
    Action: action,
    AccessKeyId: key.id,
    SignatureMethod: 'HMAC-SHA1',
    SignatureVersion: '1.0',
    SignatureNonce: nonce,
    Timestamp: timestamp(now),
    ...(key.securityToken !== undefined && { SecurityToken: key.securityToken }),
  });
  const signature = rpcSignature(key.rpcSecret, rpcStringToSign(method, pairs));
  // The signature is base64: + and / must be encoded like everything else, or it fails now and then.
  const signed = `${canonicalQuery(pairs)}&Signature=${percentEncode(signature)}`;
  if (method === 'GET') return { method, url: `${origin}/?${signed}`, headers: {}, keyId: key.keyId };
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return { method, url: `${origin}/`, headers, body: Buffer.from(signed), keyId: key.keyId };
}

const isSigned = (name: string): boolean => name === 'host' || name === 'content-type' || name.startsWith('x-acs-');

/** Signature V3. The query that comes back is the one that was signed, encoded as the signature wants it. */
export function authorizeAcs3(key: AccessKey, request: RequestToAuthorize, { now, nonce }: Moment): AuthorizedRequest {
  const call = take(request, takes.authorize.ACS3);
  const { url, headers = {}, body = Buffer.alloc(0) } = call;
  const method = call.method.toUpperCase();
  const action = call.apiMethod ?? header(headers, 'x-acs-action');
  if (action === undefined) throw requestInvalid('apiMethod', 'is missing, and so is the header x-acs-action');
  const host = signedHost(url, headers);
  if (header(headers, 'x-acs-version') === undefined) throw requestInvalid('headers.x-acs-version', 'is missing');
  // Signed with SHA-256 beside it, the request would be another one than its caller means.
  if (header(headers, 'x-acs-content-sm3') !== undefined)
    throw requestInvalid('headers.x-acs-content-sm3', 'asks for SM3');
  const hashedPayload = hashPayload(body);
  const own = {
    'x-acs-action': action,
    'x-acs-date': timestamp(now),
    'x-acs-signature-nonce': nonce,
    'x-acs-content-sha256': hashedPayload,
    ...(key.securityToken !== undefined && { 'x-acs-security-token': key.securityToken }),
  };
  // A token that the caller brings would be signed beside a key that it does not belong to.
  const given = withoutHeaders(headers, [...Object.keys(own), 'x-acs-security-token', 'authorization']);
  const sent = {
    ...(header(headers, 'accept') === undefined && { Accept: 'application/json' }),
    ...(body.byteLength > 0 && header(headers, 'content-type') === undefined && { 'Content-Type': 'application/json' }),
    ...given,
    ...own,
  };
  // One line break in a value would be another header, and its signature that of another request.
  if (Object.values(sent).some((value) => /[\r\n]/.test(value))) throw requestInvalid('headers', 'hold a line break');
  const { origin, path, query: written } = splitUrl(url);
  const query = queryPairs(written);
  const signed = Object.entries({ ...withoutHeaders(sent, ['host']), host });
  const { text, signedHeaders } = canonicalRequest({
    method,
    path,
    query,
    headers: signed.filter(([name]) => isSigned(name.toLowerCase())),
    hashedPayload,
  });
  const signature = acs3Signature(key.secret, acs3StringToSign(text));
  return {
    method,
    url: `${origin}${path}${query.length > 0 ? `?${canonicalQuery(query)}` : ''}`,
    headers: { ...sent, Authorization: acs3Authorization(key.id, signedHeaders, signature) },
    keyId: key.keyId,
  };
}
