// WeChat Pay APIv3: names of material → parts → rules → the operations they allow.
import { checkValue } from '../../crypto/cipher.ts';
import type { PaycertError } from '../../errors.ts';
import { certificateFacts } from '../shared/facts.ts';
import { type KeySet, type Provider, unusable } from '../provider.ts';
import { createContext } from './context.ts';
import { openCertificates } from './envelope.ts';
import type { FitParts } from './own-keys.ts';
import { type Parts, readParts } from './parts.ts';
import type { ResponseKey } from './platform-keys.ts';
import { judge } from './rules.ts';

export interface WechatpayOptions {
  /** Digits; a merchant certificate must name it as its common name. */
  readonly merchantId: string;
  /** Which platform key requests name while both a certificate and a public key are loaded. Default: the certificate. */
  readonly responseKey?: ResponseKey;
  /**
   * Also opens fields with PKCS#1 v1.5, which a few very old interfaces use. Default: OAEP only. **Danger**: with it, a
   * field that is damaged or meant for another key can come out as random text instead of an error.
   */
  readonly legacyFieldPadding?: boolean;
  /** Sent where the caller gives none; WeChat Pay refuses requests without one. */
  readonly userAgent?: string;
}

/** Made once per credential: what has been proven about its keys outlives every load. */
export function wechatpay({
  merchantId,
  responseKey,
  legacyFieldPadding = false,
  userAgent = 'paycert',
}: WechatpayOptions): Provider {
  const proven = new Set<string>();
  return {
    id: 'wechatpay',
    identity: `wechatpay/${merchantId}`,
    async load(data) {
      const { parts, problems } = await readParts(data, merchantId);
      const unreadable = new Set(problems.map(({ field }) => field));
      // What is there and cannot be read is not missing as well.
      const isNew = ({ code, field }: PaycertError) =>
        code !== 'material-missing' ||
        !(unreadable.has(field) || (field === 'apiclient_cert.pem' && unreadable.has('merchant_serial')));
      const violations = [...problems, ...judge(parts, merchantId).filter(isNew)];
      if (violations.length > 0 || !isFit(parts)) return unusable(violations, signerOf(parts));
      const { apiV3Key, certificatesResponse } = parts;
      if (apiV3Key && certificatesResponse !== undefined && openCertificates(certificatesResponse, apiV3Key)) {
        proven.add(checkValue(apiV3Key));
      }
      return createContext(parts, { merchantId, responseKey, legacyFieldPadding, userAgent, proven });
    },
  };
}

const isFit = (parts: Parts): parts is FitParts => parts.privateKey !== undefined;

/** Its certificate's dates are judged also where something else is wrong: people want all that is wrong. */
const signerOf = ({ certificate }: Parts): KeySet['signer'] =>
  certificate && { facts: certificateFacts(certificate, 'merchant'), publicKey: certificate.publicKey };
