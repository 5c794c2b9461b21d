// What the configuration says of one application at Alipay.

export interface AlipayOptions {
  /** The application's AppID; its certificate must name it. */
  readonly appId: string;
  /** Whether requests name certificates, or Alipay knows the application by its public key. */
  readonly mode: 'certificate' | 'key';
  /** Where requests go, and which environment's certificates fit. Default: production. */
  readonly gateway?: 'production' | 'sandbox';
  readonly userAgent?: string;
}

/** Where v2 requests go. The sandbox moved; its old address has an expired certificate. */
export const gateways = {
  production: 'https://openapi.alipay.com/gateway.do',
  sandbox: 'https://openapi-sandbox.dl.alipaydev.com/gateway.do',
} as const;
