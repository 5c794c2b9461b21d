// The signature schemes of WeChat Pay APIv3, a row each: what headers call it, and the algorithm behind it.
import type { KeyObject } from 'node:crypto';
import { rsaPkcs1, schemeFor, type Suite } from '../../crypto/suites.ts';

export interface Scheme {
  /** In `Authorization` and in `Wechatpay-Signature-Type`. */
  readonly name: string;
  readonly suite: Suite;
}

export const rsaScheme: Scheme = { name: 'WECHATPAY2-SHA256-RSA2048', suite: rsaPkcs1 };

const schemes = [rsaScheme] as const;

export const isScheme = (name: string): boolean => schemes.some((scheme) => scheme.name === name);

export const schemeOf = (key: KeyObject): Scheme => schemeFor(schemes, key);
