// What both versions of WeChat Pay have alike: the form of a nonce, and the parameters of a payment inside an app.
import { requestInvalid } from '../../errors.ts';
import { saidOfWechatAppId } from './app-ids.ts';

/** Longer ones, and a UUID with its hyphens, are refused at the gateway (protocols 1.2). @throws PaycertError `request-invalid` */
export function assertNonce(nonce: string): void {
  if (!/^[0-9A-Za-z]{1,32}$/.test(nonce))
    throw requestInvalid('nonce', 'of WeChat Pay is 32 letters and digits at most, without hyphens');
}

/** @throws PaycertError `request-invalid`: an id of another platform, with which no client could pay */
export function assertAppId(appId: string): void {
  const what = saidOfWechatAppId(appId);
  if (what !== undefined) throw requestInvalid('appId', what);
}

export interface AppPayment {
  readonly appId: string;
  readonly merchantId: string;
  readonly prepayId: string;
  readonly nonce: string;
  readonly timestamp: string;
}

/** What v2 signs, and what an app hands to WeChat with its `sign`. */
export const appParameters = ({ appId, merchantId, prepayId, nonce, timestamp }: AppPayment) => ({
  appid: appId,
  partnerid: merchantId,
  prepayid: prepayId,
  package: 'Sign=WXPay',
  noncestr: nonce,
  timestamp,
});
