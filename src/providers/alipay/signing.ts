// What the application's key signs: bytes, requests to the v2 gateway and to v3, and what the paying client needs.
import type { KeyObject } from 'node:crypto';
import type { PrivateKey, Turn } from '../../crypto/private-key.ts';
import { requestInvalid } from '../../errors.ts';
import { defaultHeaders, header, splitUrl, userAgent, withHeaders } from '../shared/http.ts';
import type { AuthorizedRequest, Moment, Operations, RequestToAuthorize } from '../provider.ts';
import { formOf, take, type Taken } from '../takes.ts';
import { sealContent } from './content.ts';
import { formatForm } from './form.ts';
import { gatewayOf, type Settings } from './options.ts';
import { beijingTime, paymentForms, type Sender, signCall } from './request.ts';
import { authorizationFields, requestMessage } from './rest.ts';
import { schemeOf } from './schemes.ts';
import { takes } from './takes.ts';
import { gatewayPath, readWritten, resign } from './written.ts';

const formType = 'application/x-www-form-urlencoded;charset=utf-8';

export interface SigningKeys {
  readonly privateKey: PrivateKey;
  /** What names the key in answers. */
  readonly keyId: string;
  /** The current AES key, which encrypts contents. */
  readonly aesKey: KeyObject | undefined;
}

export function signing(
  { privateKey, keyId, aesKey }: SigningKeys,
  sender: Sender,
  settings: Settings,
): Pick<Operations, 'sign' | 'authorize' | 'paymentParameters'> {
  const scheme = schemeOf(privateKey.publicKey);

  const textSigner = (turn: Turn | undefined) => async (message: Uint8Array) =>
    Buffer.from(await privateKey.sign(scheme.suite, message, turn)).toString('base64');

  const authorizeGateway = async (
    request: RequestToAuthorize,
    moment: Moment,
    turn: Turn | undefined,
  ): Promise<AuthorizedRequest> => {
    const call = take(request, takes.authorize.v2);
    const { query, form } = await signCall(call, { sender, moment, aesKey, scheme }, textSigner(turn));
    return {
      method: 'POST',
      url: `${gatewayOf(settings)}?${formatForm(query)}`,
      headers: { Accept: 'application/json', 'User-Agent': userAgent, 'Content-Type': formType },
      body: Buffer.from(formatForm(form)),
      keyId,
    };
  };

  /** v2, as an SDK has written it. */
  const resignGateway = async (
    request: Taken<RequestToAuthorize, typeof takes.authorize.v3>,
    now: Date,
    turn: Turn | undefined,
  ): Promise<AuthorizedRequest> => {
    const { appId, serials } = sender;
    const { fields } = readWritten(request);
    if (request.appAuthToken !== undefined || fields.get('app_id') !== appId)
      throw requestInvalid('url', 'of a request to gateway.do names this credential’s app_id, and all else of the request'); // prettier-ignore
    const own = {
      ...{ sign_type: scheme.signType, timestamp: beijingTime(now) },
      ...(serials && { app_cert_sn: serials.app, alipay_root_cert_sn: serials.root }),
    };
    return { method: request.method.toUpperCase(), ...(await resign(request, own, textSigner(turn))), keyId };
  };

  const authorizeRest = async (
    request: RequestToAuthorize,
    { now, nonce }: Moment,
    turn: Turn | undefined,
  ): Promise<AuthorizedRequest> => {
    const call = take(request, takes.authorize.v3);
    const { method, url, headers = {}, body: given = Buffer.alloc(0) } = call;
    if (splitUrl(url).path === gatewayPath) return resignGateway(call, now, turn);
    const appAuthToken = call.appAuthToken ?? header(headers, 'alipay-app-auth-token');
    const sealing = header(headers, 'alipay-encrypt-type');
    const sealWith = { key: aesKey, nonce, field: 'headers.alipay-encrypt-type' };
    const sealed = sealing === undefined ? undefined : Buffer.from(sealContent(given, sealing, sealWith));
    const body = sealed ?? given;
    const fields = authorizationFields(sender, nonce, now);
    const sign = await textSigner(turn)(requestMessage(fields, { method, url, body }, appAuthToken));
    const ownHeaders = {
      'alipay-request-id': header(headers, 'alipay-request-id') ?? nonce,
      ...(sender.serials && { 'alipay-root-cert-sn': sender.serials.root }),
      ...(appAuthToken !== undefined && { 'alipay-app-auth-token': appAuthToken }),
      ...(sealed && { 'Content-Type': 'text/plain' }),
      Authorization: `${scheme.name} ${fields},sign=${sign}`,
    };
    const defaults = defaultHeaders({ ...headers, ...ownHeaders }, body);
    return {
      method: method.toUpperCase(),
      url,
      headers: { ...defaults, ...withHeaders(headers, ownHeaders) },
      ...(sealed && { body: sealed }),
      keyId,
    };
  };

  return {
    sign: async (message, turn) => ({ signature: await privateKey.sign(scheme.suite, message, turn), keyId }),

    authorize: (request, moment, turn) =>
      formOf(takes.authorize, request) === 'v3'
        ? authorizeRest(request, moment, turn)
        : authorizeGateway(request, moment, turn),

    async paymentParameters(input, moment, turn) {
      const call = take(input, takes.paymentParameters.call);
      return paymentForms(
        await signCall(call, { sender, moment, aesKey, scheme }, textSigner(turn)),
        gatewayOf(settings),
      );
    },
  };
}
