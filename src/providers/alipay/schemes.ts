// The signature schemes of Alipay, a row each: what v2 and v3 call it, and the algorithm behind it.
import type { KeyObject } from 'node:crypto';
import { rsaPkcs1, schemeFor, type Suite } from '../../crypto/suites.ts';

export interface Scheme {
  /** v2: the parameter `sign_type`. */
  readonly signType: string;
  /** v3: the first word of `Authorization`. */
  readonly name: string;
  readonly suite: Suite;
}

export const rsaScheme: Scheme = { signType: 'RSA2', name: 'ALIPAY-SHA256withRSA', suite: rsaPkcs1 };

const schemes = [rsaScheme] as const;

export const isSignType = (text: string): boolean => schemes.some(({ signType }) => signType === text);

export const schemeOf = (key: KeyObject): Scheme => schemeFor(schemes, key);
