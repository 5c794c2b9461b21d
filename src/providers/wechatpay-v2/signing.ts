// What the APIv2 key signs: the parameters of requests and payments.
import type { KeyObject } from 'node:crypto';
import { requestInvalid } from '../../errors.ts';
import { seconds } from '../shared/freshness.ts';
import { splitUrl } from '../shared/http.ts';
import { joinPairs, type Pair } from '../shared/parameters.ts';
import { percentEncode } from '../shared/percent.ts';
import type { Operations } from '../provider.ts';
import { take } from '../takes.ts';
import { appParameters, assertAppId, assertNonce } from '../shared/wechatpay-payment.ts';
import { appNames, merchantNames, namesAt } from './interfaces.ts';
import { isSignType, signParameters, type SignType } from './messages.ts';
import type { WechatpayV2Options } from './options.ts';
import { takes } from './takes.ts';
import { writeXml } from './xml.ts';

/** What the caller gives, and what every request has. A parameter that is given empty is left out. */
function complete(
  { url, parameters }: { readonly url: string; readonly parameters: Readonly<Record<string, string>> },
  nonce: string,
  { merchantId, appId }: WechatpayV2Options,
): Pair[] {
  const added = namesAt(url);
  const names = Object.keys(parameters);
  const foreign = merchantNames.find((name) => (parameters[name] ?? '') !== '' && parameters[name] !== merchantId);
  if (foreign !== undefined) throw requestInvalid(`parameters.${foreign}`, 'is not the merchant of this credential');
  if (names.includes('sign')) throw requestInvalid('parameters.sign', 'is set by paycert');
  // Of the text that is signed, never of what is sent: it would tell the key to the platform and to every log on the way.
  if (names.includes('key'))
    throw requestInvalid('parameters.key', 'is no parameter: leave it out, paycert signs with the APIv2 key');
  const lacks = (known: readonly string[]) => !known.some((name) => names.includes(name));
  return Object.entries({
    ...(lacks(appNames) && appId !== undefined && added.app !== undefined && { [added.app]: appId }),
    ...(lacks(merchantNames) && { [added.merchant]: merchantId }),
    nonce_str: nonce,
    ...parameters,
  }).filter(([, value]) => value !== '');
}

export function signing(
  key: KeyObject,
  keyId: string,
  options: WechatpayV2Options,
): Pick<Operations, 'authorize' | 'paymentParameters'> {
  return {
    async authorize(request, { nonce }) {
      const { method: given = 'POST', url, parameters } = take(request, takes.authorize.request);
      const method = given.toUpperCase();
      if (method !== 'POST' && method !== 'GET') throw requestInvalid('method', 'of WeChat Pay v2 is GET or POST');
      assertNonce(nonce);
      const pairs = complete({ url, parameters }, nonce, options);
      const named = pairs.find(([name]) => name === 'sign_type')?.[1] ?? 'MD5';
      if (!isSignType(named)) throw requestInvalid('parameters.sign_type', 'is neither MD5 nor HMAC-SHA256');
      const signed: Pair[] = [...pairs, ['sign', signParameters(named, key, pairs)]];
      if (method === 'GET') {
        if (splitUrl(url).query !== '') throw requestInvalid('url', 'has a query: parameters hold it');
        return { method, url: `${url}?${joinPairs(signed, percentEncode)}`, headers: {}, keyId };
      }
      const headers = { 'Content-Type': 'text/xml; charset=utf-8' };
      return { method, url, headers, body: Buffer.from(writeXml(signed)), keyId };
    },

    async paymentParameters(input, { now, nonce }): Promise<Record<string, string>> {
      const payment = take(input, takes.paymentParameters.payment);
      const { type, prepayId, appId = options.appId } = payment;
      if (appId === undefined) throw requestInvalid('appId', 'is missing, and so is appId of the configuration');
      assertAppId(appId);
      const signType: SignType = payment.signType ?? 'MD5';
      const timestamp = seconds(now);
      const sign = (parameters: Readonly<Record<string, string>>): string =>
        signParameters(signType, key, Object.entries(parameters));
      if (type === 'app') {
        const parameters = appParameters({ appId, merchantId: options.merchantId, prepayId, nonce, timestamp });
        return { ...parameters, sign: sign(parameters) };
      }
      const parameters = { appId, timeStamp: timestamp, nonceStr: nonce, package: `prepay_id=${prepayId}`, signType };
      return { ...parameters, paySign: sign(parameters) };
    },
  };
}
