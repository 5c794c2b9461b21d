// Checks a request as Aliyun does, by what arrived alone: RPC with signature version 1.0, and ACS3 (protocols 4.1, 4.2).
import { createHmac, hash } from 'node:crypto';
import type { ReceivedRequest } from './loopback.ts';

/** An access key, with its token where it is lent. */
export interface Account {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string;
}

/** What a request whose signature is good asks for. */
export interface Call {
  readonly action: string;
  readonly nonce: string;
  readonly timestamp: string;
  readonly parameters: URLSearchParams;
}

/** Why a request is refused: Aliyun's code, and its words. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const encode = (value: string): string =>
  encodeURIComponent(value).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

const inOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const canonical = (parameters: URLSearchParams): string =>
  [...parameters]
    .sort(([a], [b]) => inOrder(a, b))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&');

function assertKey({ accessKeyId, securityToken }: Account, id: string | null, token: unknown): void {
  if (id !== accessKeyId) throw new Refusal(404, 'InvalidAccessKeyId.NotFound', 'Specified access key is not found.');
  if ((token ?? undefined) !== securityToken) throw new Refusal(400, 'InvalidSecurityToken.Malformed');
}

/** Query and body are one set of parameters. */
export function rpcParameters({ url, body }: ReceivedRequest): URLSearchParams {
  return new URLSearchParams(`${url.split('?').slice(1).join('?')}&${Buffer.from(body).toString()}`);
}

/** @throws Refusal */
export function checkRpc(received: ReceivedRequest, account: Account): Call {
  const { method } = received;
  const parameters = rpcParameters(received);
  assertKey(account, parameters.get('AccessKeyId'), parameters.get('SecurityToken'));
  const signature = parameters.get('Signature');
  parameters.delete('Signature');
  const text = `${method}&%2F&${encode(canonical(parameters))}`;
  const own = createHmac('sha1', `${account.accessKeySecret}&`).update(text).digest('base64');
  if (signature !== own) {
    const words = `Specified signature is not matched with our calculation. server string to sign is:${text}`;
    throw new Refusal(400, 'SignatureDoesNotMatch', words);
  }
  const [action = '', nonce = '', timestamp = ''] = ['Action', 'SignatureNonce', 'Timestamp'].map(
    (name) => parameters.get(name) ?? undefined,
  );
  return { action, nonce, timestamp, parameters };
}

/** @throws Refusal */
export function checkAcs3({ method, url, headers, body }: ReceivedRequest, account: Account): Call {
  const { authorization = '' } = headers;
  const [, id = '', names = '', signature] =
    /^ACS3-HMAC-SHA256 Credential=([^,]*),SignedHeaders=([^,]*),Signature=(\w+)$/.exec(authorization) ?? [];
  const valueOf = (name: string): string => String(headers[name] ?? '').trim();
  assertKey(account, id, headers['x-acs-security-token']);
  const signed = names.split(';');
  const unsigned = Object.keys(headers).find(
    (name) => (name === 'host' || name.startsWith('x-acs-')) && !signed.includes(name),
  );
  if (unsigned !== undefined) throw new Refusal(400, 'IncompleteSignature', `${unsigned} is not signed`);
  const payload = hash('sha256', Buffer.from(body));
  if (valueOf('x-acs-content-sha256') !== payload) throw new Refusal(400, 'InvalidContentSha256');
  const [path = '', query = ''] = url.split('?', 2);
  const parameters = new URLSearchParams(query);
  const lines = signed.map((name) => `${name}:${valueOf(name)}\n`).join('');
  const request = [method, path, canonical(parameters), lines, names, payload].join('\n');
  const text = `ACS3-HMAC-SHA256\n${hash('sha256', request)}`;
  if (signature !== createHmac('sha256', account.accessKeySecret).update(text).digest('hex')) {
    const words = `Specified signature does not match our calculation. server CanonicalRequest is:${request}, server StringToSign is:${text}`;
    throw new Refusal(400, 'SignatureDoesNotMatch', words);
  }
  for (const [name, value] of formOf(headers['content-type'], body)) parameters.append(name, value);
  const [action, nonce, timestamp] = [valueOf('x-acs-action'), valueOf('x-acs-signature-nonce'), valueOf('x-acs-date')];
  return { action, nonce, timestamp, parameters };
}

const formOf = (contentType: string | undefined, body: Uint8Array): URLSearchParams =>
  new URLSearchParams(contentType?.startsWith('application/x-www-form-urlencoded') ? Buffer.from(body).toString() : '');
