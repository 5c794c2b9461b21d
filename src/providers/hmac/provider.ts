// Requests between partners that share a secret: HMAC-SHA256 over their parameters, in the scheme that both agreed on.
import type { KeyObject } from 'node:crypto';
import { checkValue } from '../../crypto/cipher.ts';
import { equalCodes, hmac as code, secretKey } from '../../crypto/mac.ts';
import { PaycertError } from '../../errors.ts';
import { header, splitUrl, withHeaders } from '../shared/http.ts';
import { need, takeOnly, takeReceived } from '../shared/inputs.ts';
import { materialReader, readSecret } from '../shared/material.ts';
import { Nonces } from '../shared/nonces.ts';
import { formPairs, joinPairs, type Pair, percentEncode } from '../shared/parameters.ts';
import type { Provider, Received, RequestToAuthorize, SigningContext, Verified } from '../provider.ts';
import type { Role } from '../roles.ts';
import { acceptOnce, needSigned, seconds, shortestMemory } from '../partner/freshness.ts';
import { type Scheme, schemes, type Slash } from './schemes.ts';

export interface HmacOptions {
  /** What names the secret in requests: the scheme's `app_id` or `AccessKey`. */
  readonly keyId: string;
  readonly scheme: Scheme;
  readonly slash: Slash;
  readonly maxNonces: number;
}

/** Made once per credential: the nonces seen outlive every load. */
export function hmac(options: HmacOptions): Provider {
  const nonces = new Nonces({ milliseconds: shortestMemory, capacity: options.maxNonces });
  return {
    id: 'hmac',
    identity: `hmac/${options.keyId}`,
    async load(data) {
      const { part, required, problems } = materialReader(data);
      const key = required('key', readKey);
      const previous = part('key.previous', readKey);
      if (problems.length > 0 || key === undefined) {
        return { keys: [], problems, capabilities: () => new Set(), warnings: () => [] };
      }
      return createContext(previous === undefined ? [key] : [key, previous], options, nonces);
    },
  };
}

function readKey(bytes: Uint8Array, field: string): KeyObject {
  const key = readSecret(bytes);
  if (key.byteLength >= 32) return secretKey(key);
  throw new PaycertError('hmac-key-too-short', `${field} is ${key.byteLength} bytes long, less than 32`, { field });
}

const invalid = (field: string, message: string) =>
  new PaycertError('request-invalid', `${field} ${message}`, { field });

const prefix = 'Signature ';

function createContext(
  keys: readonly [KeyObject, ...KeyObject[]],
  options: HmacOptions,
  nonces: Nonces,
): SigningContext {
  const { keyId, scheme, slash } = options;
  const { names, signsKeyId, compute } = schemes[scheme];
  const facts = keys.map((key, i) => {
    const role: Role = i === 0 ? 'hmac' : 'hmac-previous';
    return { role, keyId, algorithm: 'HMAC-SHA256', fingerprint: checkValue(key) };
  });
  const own = [names.keyId, names.timestamp, names.nonce, ...(names.signature === undefined ? [] : [names.signature])];
  const isSigned = (name: string): boolean => name !== names.signature && (signsKeyId || name !== names.keyId);
  const sign = (key: KeyObject, pairs: readonly Pair[], method: string, path: string): string => {
    const signed = pairs.filter(([name]) => isSigned(name));
    return compute(key, signed, { method: method.toUpperCase(), path }, slash);
  };
  const assertKnown = (named: string): void => {
    if (named !== keyId) throw new PaycertError('key-id-unknown', 'the signature names another key id');
  };

  const verifyRequest = (received: Exclude<Received, { kind: 'message' }>, now: Date): Verified => {
    const { headers = {}, url, method } = readRequest(received, scheme);
    const { path, query } = splitUrl(url);
    const pairs = [...formPairs(query, 'url'), ...formPairs(Buffer.from(received.body).toString(), 'body')];
    const values = new Map(pairs);
    if (values.size < pairs.length) {
      // Of two values, each side may take another one.
      throw new PaycertError('message-malformed', 'a parameter stands twice', { field: 'body' });
    }
    const authorization = header(headers, 'authorization');
    const inHeader = authorization?.startsWith(prefix) === true ? authorization.slice(prefix.length) : undefined;
    const signature = needSigned(
      names.signature === undefined ? inHeader : values.get(names.signature),
      names.signature ?? 'authorization',
    );
    const stamp = {
      timestamp: needSigned(values.get(names.timestamp), names.timestamp),
      nonce: needSigned(values.get(names.nonce), names.nonce),
      fields: { timestamp: names.timestamp, nonce: names.nonce },
    };
    const named = needSigned(values.get(names.keyId), names.keyId);
    return acceptOnce(nonces, stamp, now, () => {
      assertKnown(named);
      const isFit = keys.some((key) => equalCodes(Buffer.from(sign(key, pairs, method, path)), Buffer.from(signature)));
      if (!isFit) throw new PaycertError('signature-invalid', 'the signature does not match');
      return { keyId };
    });
  };

  return {
    keys: facts,
    problems: [],
    namesNoKey: true,
    capabilities: () => new Set(['sign', 'verify']),
    warnings: () => [],
    ...(facts[0] && { signer: { facts: facts[0] } }),

    sign: async (message) => ({ signature: code('sha256', keys[0], message), keyId }),

    async authorize(request: RequestToAuthorize, { now, nonce }) {
      takeOnly(request, ['method', 'url', 'headers', 'parameters']);
      const [method, url] = [need(request, 'method').toUpperCase(), need(request, 'url')];
      const { parameters = {}, headers = {} } = request;
      const taken = own.find((name) => name in parameters);
      if (taken !== undefined) throw invalid(`parameters.${taken}`, 'is set by paycert');
      const { origin, path, query } = splitUrl(url);
      if (query !== '') throw invalid('url', 'has a query: parameters hold it');
      const stamped: Pair[] = [
        ...Object.entries(parameters),
        [names.keyId, keyId],
        [names.timestamp, seconds(now)],
        [names.nonce, nonce],
      ];
      const signature = sign(keys[0], stamped, method, path);
      const sent: Pair[] = names.signature === undefined ? stamped : [...stamped, [names.signature, signature]];
      const form = joinPairs(sent, percentEncode);
      const inHeader = names.signature === undefined && { Authorization: `${prefix}${signature}` };
      if (method === 'GET' || method === 'DELETE' || method === 'HEAD')
        return { method, url: `${origin}${path}?${form}`, headers: withHeaders(headers, { ...inHeader }), keyId };
      const sentHeaders = withHeaders(headers, { ...inHeader, 'Content-Type': 'application/x-www-form-urlencoded' });
      return { method, url: `${origin}${path}`, headers: sentHeaders, body: Buffer.from(form), keyId };
    },

    async verify(received, now) {
      if (received.kind !== 'message') return verifyRequest(received, now);
      assertKnown(received.keyId);
      const signature = Buffer.from(received.signature, 'base64');
      if (keys.some((key) => equalCodes(code('sha256', key, received.message), signature))) return { keyId };
      throw new PaycertError('signature-invalid', 'the signature does not match');
    },
  };
}

/** Only requests are signed. The request scheme covers method and path as well. */
function readRequest(received: Exclude<Received, { kind: 'message' }>, scheme: Scheme) {
  takeReceived(received);
  if (received.kind !== 'notification') throw invalid('kind', 'is notification: this scheme signs requests only');
  if (scheme !== 'request') return { method: 'POST', url: '/', ...received };
  return { ...received, method: need(received, 'method'), url: need(received, 'url') };
}
