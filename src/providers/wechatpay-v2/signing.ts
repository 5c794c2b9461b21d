// What the APIv2 key signs: the parameters of requests and payments.
import type { KeyObject } from 'node:crypto';
import { requestInvalid } from '../../errors.ts';
import { seconds } from '../shared/freshness.ts';
import { splitUrl } from '../shared/http.ts';
import { need, takeOnly } from '../shared/inputs.ts';
import { joinPairs, type Pair } from '../shared/parameters.ts';
import { percentEncode } from '../shared/percent.ts';
import type { Operations } from '../provider.ts';
import { appParameters } from '../shared/wechatpay-payment.ts';
import { isSignType, signParameters, type SignType } from './messages.ts';
import type { WechatpayV2Options } from './options.ts';
import { writeXml } from './xml.ts';

/** Interfaces differ in what they call the merchant and the app. */
const merchantNames = ['mch_id', 'mchid', 'combine_mch_id'];
const appNames = ['appid', 'mch_appid', 'wxappid', 'combine_appid'];

/** What the caller gives, and what every request has. A parameter that is given empty is left out. */
function complete(
  parameters: Readonly<Record<string, string>>,
  nonce: string,
  { merchantId, appId }: WechatpayV2Options,
): Pair[] {
  const names = Object.keys(parameters);
  const foreign = merchantNames.find((name) => (parameters[name] ?? '') !== '' && parameters[name] !== merchantId);
  if (foreign !== undefined) throw requestInvalid(`parameters.${foreign}`, 'is not the merchant of this credential');
  if (names.includes('sign')) throw requestInvalid('parameters.sign', 'is set by paycert');
  const lacks = (known: readonly string[]) => !known.some((name) => names.includes(name));
  return Object.entries({
    ...(lacks(appNames) && appId !== undefined && { appid: appId }),
    ...(lacks(merchantNames) && { mch_id: merchantId }),
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
      takeOnly(request, ['method', 'url', 'parameters']);
      const method = (request.method ?? 'POST').toUpperCase();
      if (method !== 'POST' && method !== 'GET') throw requestInvalid('method', 'of WeChat Pay v2 is GET or POST');
      const url = need(request, 'url');
      const pairs = complete(need(request, 'parameters'), nonce, options);
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
      takeOnly(input, ['type', 'appId', 'prepayId', 'signType']);
      const [type, prepayId] = [need(input, 'type'), need(input, 'prepayId')];
      const appId = input.appId ?? options.appId;
      if (appId === undefined) throw requestInvalid('appId', 'is missing, and so is appId of the configuration');
      const signType: SignType = input.signType ?? 'MD5';
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
