// An application's requests to WeChat Pay v2, forwarded: its parameters are signed again with the APIv2 key that the credential has now.
import { PaycertError, requestInvalid } from '../../errors.ts';
import { type CallOutcome, type ForwardedRequest, type ForwardedResponse, type Forwarding, outcomeOfStatus, type Refused, refusedByStatus, type Repeatable } from '../forwarding.ts'; // prettier-ignore
import type { RequestToAuthorize } from '../provider.ts';
import { splitUrl } from '../shared/http.ts';
import { queryPairs } from '../shared/parameters.ts';
import { wechatPaySpares } from '../shared/wechatpay-hosts.ts';
import { appNames, asksForCertificate, interfaceAt, merchantNames } from './interfaces.ts';
import { isUnsignedByDesign } from './messages.ts';
import { wechatpayV2Refusals } from './refusal.ts';
import { resign } from './resigning.ts';
import { readXml } from './xml.ts';

const query = 'WeChat Pay’s pages of the query itself: it changes nothing, and is to be made until the state is final';

/** Only what reads: refunds and transfers may be made again with the same number, after a query, which is the application's to decide. */
const repeatable: readonly Repeatable[] = [
  '/pay/orderquery',
  '/pay/refundquery',
  '/pay/querycombinedorder',
  '/pay/profitsharingquery',
  '/mmpaymkttransfers/gethbinfo',
  '/mmpaymkttransfers/gettransferinfo',
  '/mmpaysptrans/query_bank',
].map((path) => ({ call: `POST ${path}`, source: query }));

/** What is made for each request: by the SDK for its own, by us for ours. */
const replaced: ReadonlySet<string> = new Set(['sign', 'nonce_str']);

export const forwarding: Forwarding = {
  allowed: ['POST /*', 'GET /*'],
  repeatable,
  spares: wechatPaySpares,

  toAuthorize: ({ method, target, body }): RequestToAuthorize => {
    const { path, query: text } = splitUrl(target);
    const isQuery = method === 'GET';
    if (!isQuery && text !== '') throw requestInvalid('url', 'has a query: parameters of v2 are elements of the body');
    const pairs = isQuery ? queryPairs(text) : [...elementsOf(body)];
    const given = new Map(pairs);
    if (given.size < pairs.length) throw requestInvalid('url', 'has a parameter twice');
    const parameters = pairs.filter(([name]) => !replaced.has(name));
    return { method, url: path, parameters: { ...leftOut(given), ...Object.fromEntries(parameters) } };
  },

  showsCertificate: ({ target }) => asksForCertificate(target),

  isUnsigned: ({ target }) => isUnsignedByDesign(target),
  readsUnsigned: ({ target }) => !downloads.test(interfaceAt(target)),

  outcomeOf,
  refusedBy,
  resign,
};

/** What an SDK has signed is complete: some interfaces take no nonce, or no app. To what nobody has signed, the usual is added. */
function leftOut(given: ReadonlyMap<string, string>): Record<string, string> {
  if (!given.has('sign')) return {};
  const absent = [['nonce_str'], appNames, merchantNames].filter((names) => !names.some((name) => given.has(name)));
  return Object.fromEntries(absent.map(([name = '']) => [name, '']));
}

/** Their bodies are tables of any length. */
const downloads = /^\/pay\/download(?:bill|fundflow)$/;

function elementsOf(body: ForwardedRequest['body']): ReadonlyMap<string, string> {
  try {
    return readXml(body);
  } catch (error) {
    if (error instanceof PaycertError) throw requestInvalid('body', error.message.replace(/^the body /, ''));
    throw error;
  }
}

/** What a response in XML says; undefined for anything else. */
function resultOf({ body }: ForwardedResponse): Readonly<Record<string, string>> | undefined {
  try {
    return Object.fromEntries(readXml(body));
  } catch (error) {
    if (error instanceof PaycertError) return undefined;
    throw error;
  }
}

/** Codes that say that it was not done. Every other one leaves it open: a code that is new must not cost a second payment. */
const notDone =
  /^(?:NO_?AUTH|NOTENOUGH|ORDERPAID|ORDERCLOSED|ORDERNOTEXIST|ORDERREVERSED|OUT_TRADE_NO_USED|LACK_PARAMS|PARAM_ERROR|XML_FORMAT_ERROR|REQUIRE_POST_METHOD|POST_DATA_EMPTY|NOT_UTF8|SIGNERROR|SIGN_ERROR|APPID_NOT_EXIST|MCHID_NOT_EXIST|APPID_MCHID_NOT_MATCH|CERT_ERROR|CA_ERROR|REFUNDNOTEXIST|TRADE_OVERDUE|USER_ACCOUNT_ABNORMAL|INVALID_TRANSACTIONID|INVALID_REQUEST|AUTHCODEEXPIRE|AUTH_CODE_ERROR|AUTH_CODE_INVALID|NOTSUPORTCARD|AMOUNT_LIMIT|NAME_MISMATCH|MONEY_LIMIT|OPENID_ERROR|NOT_FOUND|V2_ACCOUNT_SIMPLE_BAN)$/;

/** Under status 200, too. What is no XML is left to verifying, which refuses it. */
function outcomeOf(response: ForwardedResponse): CallOutcome {
  const byStatus = outcomeOfStatus(response.status);
  const result = byStatus === 'ok' ? resultOf(response) : undefined;
  const refusal = result && wechatpayV2Refusals.read(result);
  if (refusal === undefined) return byStatus;
  // A call that did not even arrive at its interface.
  if (result?.['return_code'] !== 'SUCCESS') return refusal.certain.includes('platform-fault') ? 'unknown' : 'refused';
  return notDone.test(refusal.code) ? 'refused' : 'unknown';
}

/** Of a `return_code` that is not SUCCESS nothing was done; a code of the business was looked at after the signature. */
function refusedBy(response: ForwardedResponse): Refused | undefined {
  const result = resultOf(response);
  if (result === undefined) return refusedByStatus(response);
  const refusal = wechatpayV2Refusals.read(result);
  if (/^(?:FREQ_LIMIT|FREQUENCY_LIMITED|INVALID_REQ_TOO_MUCH|SYSTEMERROR)$/.test(refusal?.code ?? '')) return 'busy';
  return refusal?.about === 'signature' && result['return_code'] !== 'SUCCESS' ? 'signature' : undefined;
}
