// An application's requests to Aliyun, forwarded: RPC and ACS3 with the access key that the credential has now, to its endpoints alone.
import { requestInvalid } from '../../errors.ts';
import { type ForwardedRequest, type Forwarding, refusedByCode, type Repeatable } from '../forwarding.ts';
import type { KeyFacts, RequestToAuthorize } from '../provider.ts';
import { header, splitUrl, withoutHeaders } from '../shared/http.ts';
import { formPairs, type Pair, queryPairs } from '../shared/parameters.ts';
import { accessKeyIdForm } from './provider.ts';
import { aliyunRefusals } from './refusal.ts';
import { rpcOwn } from './requests.ts';

const allowed = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => `${method} /*`);

/** Never by the verb: `GET ?Action=SendSms` sends again. */
const repeatable: readonly Repeatable[] = [
  { call: 'QuerySendDetails', source: 'Aliyun’s page of QuerySendDetails: it reads what became of a message' },
  { call: 'QuerySendStatistics', source: 'Aliyun’s page of QuerySendStatistics: it reads numbers of messages' },
];

export const forwarding: Forwarding = {
  allowed,
  repeatable,

  apiMethodOf(request) {
    if (isAcs3(request)) return header(request.headers, 'x-acs-action');
    const action = new Map(parametersOf(request)).get('Action') ?? '';
    if (/^[A-Za-z]\w{0,127}$/.test(action)) return action;
    throw requestInvalid('Action', 'is missing, and so is the header x-acs-action');
  },

  toAuthorize: (request, keys, origin) =>
    isAcs3(request) ? ofAcs3(request, keys, origin) : ofRpc(request, keys, origin),

  // TLS proves them, and nothing else.
  isUnsigned: () => true,

  refusedBy: (response) => refusedByCode(response, aliyunRefusals, /^Throttling(?:\.|$)/),
};

/** SDKs of RPC send the headers of ACS3 as well, and mean nothing by them. */
function isAcs3(request: ForwardedRequest): boolean {
  const { headers, target } = request;
  if (header(headers, 'authorization')?.startsWith('ACS3-') === true) return true;
  if (header(headers, 'x-acs-version') === undefined) return false;
  return splitUrl(target).path !== '/' || !isRpcBody(request) || !parametersOf(request).some(([name]) => rpcNames.has(name)); // prettier-ignore
}

/** What only RPC has among its parameters. */
const rpcNames: ReadonlySet<string> = new Set(['Action', 'AccessKeyId', 'Signature']);

const isRpcBody = ({ headers, body }: ForwardedRequest): boolean =>
  body.byteLength === 0 || isForm.test(header(headers, 'content-type') ?? '');

const isForm = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

/** The parameters of an RPC call, from its query and its form. @throws PaycertError `request-invalid` */
function parametersOf(request: ForwardedRequest): readonly Pair[] {
  const { query } = splitUrl(request.target);
  if (!isRpcBody(request))
    throw requestInvalid('headers.content-type', 'of an RPC call is application/x-www-form-urlencoded');
  const pairs = [...queryPairs(query), ...formPairs(request.body, 'body', 'request-invalid')];
  const seen = new Set<string>();
  for (const [name] of pairs) {
    if (seen.has(name)) throw requestInvalid(name, 'is there twice, in the query, the body or both');
    seen.add(name);
  }
  return pairs;
}

/** What the signature is about, and what names other ways to sign. */
const replaced: ReadonlySet<string> = new Set([...rpcOwn, 'SignatureType', 'BearerToken', 'Timestamp', 'Action']);

function ofRpc(request: ForwardedRequest, keys: readonly KeyFacts[], origin: string): RequestToAuthorize {
  const { path } = splitUrl(request.target);
  if (path !== '/') throw requestInvalid('url', 'has a path, and no header x-acs-version: it is neither RPC nor ACS3');
  const pairs = parametersOf(request);
  const given = new Map(pairs);
  assertOwnOrMadeUp('AccessKeyId', given.get('AccessKeyId'), keys);
  return {
    method: request.method,
    url: `${origin}/`,
    apiMethod: given.get('Action') ?? '',
    parameters: Object.fromEntries(pairs.filter(([name]) => !replaced.has(name))),
  };
}

function ofAcs3(
  { method, target, headers, body }: ForwardedRequest,
  keys: readonly KeyFacts[],
  origin: string,
): RequestToAuthorize {
  const [, id] = /\bCredential=([^,\s]*)/.exec(header(headers, 'authorization') ?? '') ?? [];
  assertOwnOrMadeUp('headers.authorization.Credential', id, keys);
  const stray = queryPairs(splitUrl(target).query).find(([name]) => rpcNames.has(name));
  // Two names of one call: a platform could take the other than is allowed.
  if (stray !== undefined) throw requestInvalid(stray[0], 'is a parameter of RPC, in a request that is signed as ACS3');
  return { method, url: `${origin}${target}`, headers: withoutHeaders(headers, ['x-acs-accesskey-id']), body };
}

/** An id of the form that Aliyun issues names a key of somebody; anything else is made up, and is replaced. */
function assertOwnOrMadeUp(field: string, id: string | undefined, keys: readonly KeyFacts[]): void {
  if (id === undefined || !accessKeyIdForm.test(id) || keys.some(({ keyId }) => keyId === id)) return;
  throw requestInvalid(field, 'is another access key than this credential’s: give the SDK a made-up one');
}
