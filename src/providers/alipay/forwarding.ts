// An application's requests to Alipay, forwarded: what it signed with is replaced, its app_id is ours or refused by name.
import { PaycertError, requestInvalid } from '../../errors.ts';
import {
  type CallOutcome,
  type ForwardedRequest,
  type ForwardedResponse,
  type Forwarding,
  outcomeOfStatus,
  refusedByCode,
  type Repeatable,
} from '../forwarding.ts';
import type { RequestToAuthorize } from '../provider.ts';
import { header, splitUrl, withoutHeaders } from '../shared/http.ts';
import { isMultipart, onePart, partsOf } from '../shared/multipart.ts';
import { assertOwn } from '../shared/own-account.ts';
import type { AlipayOptions } from './options.ts';
import { charsetOf } from './receiving.ts';
import { alipayRefusals } from './refusal.ts';
import { resign } from './resigning.ts';
import { readResponse } from './response.ts';
import { gatewayPath, readWritten } from './written.ts';

const allowed = [
  ...['GET', 'POST'].map((method) => `${method} ${gatewayPath}`),
  ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => `${method} /v3/*`),
];

const query = 'Alipay’s page of the query itself: it changes nothing, and is to be made until the state is final';
const link = 'Alipay’s page of the bill’s address: it changes nothing, and each address ends after 30 seconds';

/** Only what reads, in v2 and in v3. Payments and refunds may be made again with the same numbers, after a query. */
const repeatable: readonly Repeatable[] = [
  ...['alipay.trade.query', 'POST /v3/alipay/trade/query'],
  ...['alipay.trade.fastpay.refund.query', 'POST /v3/alipay/trade/fastpay/refund/query'],
  ...['alipay.fund.trans.common.query', 'GET /v3/alipay/fund/trans/common/query'],
]
  .map((call) => ({ call, source: query }))
  .concat(
    ['alipay.data.dataservice.bill.downloadurl.query', 'GET /v3/alipay/data/dataservice/bill/downloadurl/query'].map(
      (call) => ({ call, source: link }),
    ),
  );

export const forwarding = ({ appId }: Pick<AlipayOptions, 'appId'>): Forwarding => ({
  allowed,
  repeatable,

  apiMethodOf(request) {
    if (!isGateway(request)) return undefined;
    const method = readWritten(writtenOf(request)).fields.get('method') ?? '';
    if (/^[A-Za-z][\w.]{2,127}$/.test(method)) return method;
    throw requestInvalid('method', 'is missing, or no name of a method such as alipay.trade.query');
  },

  toAuthorize: (request) => (isGateway(request) ? ofGateway(request, appId) : ofRest(request, appId)),

  isUnsigned: () => false,

  resign,

  refusedBy: (response) => refusedByCode(response, alipayRefusals, /^(?:isp|aop)\.unknow-error$/),

  outcomeOf: (response) => (response.apiMethod === undefined ? outcomeOfRest(response) : outcomeOfGateway(response)),
});

const isGateway = ({ target }: Pick<ForwardedRequest, 'target'>): boolean => splitUrl(target).path === gatewayPath;

const writtenOf = ({ target, ...request }: ForwardedRequest) => ({ ...request, url: target });

/** v2: query and form. */
function ofGateway(request: ForwardedRequest, appId: string): RequestToAuthorize {
  const { fields } = readWritten(writtenOf(request));
  assertOwn('app_id', fields.get('app_id'), appId);
  const format = fields.get('format');
  // Its signature covers a part of the text that is found by the rules of JSON.
  if (format !== undefined && format.toUpperCase() !== 'JSON')
    throw requestInvalid('format', 'is not JSON: no other response can be verified');
  return writtenOf(request);
}

/** v3. Of an upload the part `data` is signed. */
function ofRest({ method, target, headers, body }: ForwardedRequest, appId: string): RequestToAuthorize {
  const [, named] = /(?:^|[\s,])app_id=([^,\s]*)/.exec(header(headers, 'authorization') ?? '') ?? [];
  if (named !== undefined) assertOwn('headers.authorization.app_id', named, appId);
  if (header(headers, 'alipay-encrypt-type') !== undefined)
    throw requestInvalid('headers.alipay-encrypt-type', 'is not forwarded: the local API encrypts and opens contents');
  const type = header(headers, 'content-type');
  return {
    method,
    url: target,
    headers: withoutHeaders(headers, ['authorization', 'alipay-root-cert-sn']),
    body: isMultipart(type) ? onePart(partsOf(type, body), 'data') : body,
  };
}

/** Errors of the system leave open what became of the call, whatever code they come under. */
const isSystemError = (code: string | undefined): boolean => /system_?error|unknow-error/i.test(code ?? '');

/** The status is 200 whatever happened. `10003` waits for the payer, `20000` does not know (protocols 2.8). */
function outcomeOfGateway({ status, headers, body, apiMethod = '' }: ForwardedResponse): CallOutcome {
  if (status >= 300) return outcomeOfStatus(status);
  try {
    const { isFailure, code, subCode } = readResponse(body, apiMethod, charsetOf(headers)).report();
    if (!isFailure) return 'ok';
    return code?.startsWith('4') === true && !isSystemError(subCode) ? 'refused' : 'unknown';
  } catch (error) {
    if (error instanceof PaycertError) return 'unknown';
    throw error;
  }
}

function outcomeOfRest({ status, body }: ForwardedResponse): CallOutcome {
  const outcome = outcomeOfStatus(status);
  if (outcome !== 'refused') return outcome;
  const [, code] = /"code"\s*:\s*"([^"]{1,128})"/.exec(Buffer.from(body.subarray(0, 4096)).toString('latin1')) ?? [];
  return isSystemError(code) ? 'unknown' : 'refused';
}
