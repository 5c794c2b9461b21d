// The parameters of a payment inside an app, which both versions of WeChat Pay have alike.

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
