// An application's requests to WeChat Pay, forwarded: its Authorization is replaced, its merchant id is ours or refused.
import type { Forwarding, Repeatable } from '../forwarding.ts';
import type { KeyFacts } from '../provider.ts';
import { header, withHeaders, withoutHeaders } from '../shared/http.ts';
import { isMultipart, onePart, partsOf, withBoundary } from '../shared/multipart.ts';
import { assertOwn, assertOwnJson, assertOwnQuery } from '../shared/own-account.ts';
import { wechatPaySpares } from '../shared/wechatpay-hosts.ts';
import { isUnsignedByDesign } from './messages.ts';
import type { WechatpayOptions } from './options.ts';
import { isSameKeyId } from './platform-keys.ts';
import { signedHash } from './receiving.ts';
import { resign } from './resigning.ts';

/** Who calls. Sub-merchants, receivers and appids are others, and the platform says whether they may be named. */
const merchantNames = ['mchid', 'sp_mchid', 'combine_mchid'];

const allowed = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => `${method} /v3/*`);

const query = 'WeChat Pay’s pages of the query itself: it changes nothing, and is to be made until the state is final';

/** Only what reads. Orders and refunds may be made again with the same number, after a query: that is the application's to decide. */
const repeatable: readonly Repeatable[] = [
  { call: 'GET /v3/pay/transactions/id/*', source: query },
  { call: 'GET /v3/pay/transactions/out-trade-no/*', source: query },
  { call: 'GET /v3/pay/partner/transactions/id/*', source: query },
  { call: 'GET /v3/pay/partner/transactions/out-trade-no/*', source: query },
  { call: 'GET /v3/combine-transactions/out-trade-no/*', source: query },
  { call: 'GET /v3/refund/domestic/refunds/*', source: query },
  {
    call: 'GET /v3/certificates',
    source: 'WeChat Pay’s page on updating platform certificates: at least every 12 hours',
  },
];

export const forwarding = ({ merchantId }: WechatpayOptions): Forwarding => ({
  allowed,
  repeatable,
  spares: wechatPaySpares,

  toAuthorize({ method, target, headers, body }, keys) {
    // A refund names its merchant nowhere else.
    const [, merchant] = /(?:^|[\s,])mchid="?([^",\s]*)/.exec(header(headers, 'authorization') ?? '') ?? [];
    if (merchant !== undefined) assertOwn('headers.authorization.mchid', merchant, merchantId);
    const given = header(headers, 'content-type');
    const type = withBoundary(given, body);
    const signed = isMultipart(type) ? onePart(partsOf(type, body), 'meta') : body;
    assertOwnQuery(target, merchantNames, merchantId);
    assertOwnJson(signed, merchantNames, merchantId);
    const sent = sentOf(headers, keys);
    const isNamed = type === undefined || type === given;
    return { method, url: target, headers: isNamed ? sent : withHeaders(sent, { 'content-type': type }), body: signed };
  },

  isUnsigned: ({ method, target }) => method === 'GET' && isUnsignedByDesign(target),

  signedHash,

  resign,
});

/** A `Wechatpay-Serial` that names a platform's key we know is kept: fields may be encrypted for it. Any other is the SDK's own. */
function sentOf(headers: Readonly<Record<string, string>>, keys: readonly KeyFacts[]): Record<string, string> {
  const named = header(headers, 'wechatpay-serial');
  const isKnown = named !== undefined && keys.some(({ role, keyId }) => isPlatform(role) && isSameKeyId(keyId, named));
  return withoutHeaders(headers, ['authorization', ...(isKnown ? [] : ['wechatpay-serial'])]);
}

const isPlatform = (role: KeyFacts['role']): boolean => role === 'platform' || role === 'public-key';
