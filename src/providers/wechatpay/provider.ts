// WeChat Pay APIv3: names of material → parts → rules → the operations they allow.
import { checkValue } from '../../crypto/check-value.ts';
import type { PaycertError } from '../../errors.ts';
import { certificateFacts } from '../shared/facts.ts';
import { type KeySet, type Provider, unusable } from '../provider.ts';
import { createContext } from './context.ts';
import { openCertificates } from './envelope.ts';
import { defaults, type WechatpayOptions } from './options.ts';
import type { ValidParts } from './own-keys.ts';
import { type Parts, readParts } from './parts.ts';
import { evaluate } from './rules.ts';

/** Made once per credential: what has been proven about its keys outlives every load. */
export function wechatpay({
  merchantId,
  responseKey = defaults.responseKey,
  legacyFieldPadding = defaults.legacyFieldPadding,
}: WechatpayOptions): Provider {
  const proven = new Set<string>();
  return {
    id: 'wechatpay',
    identity: `wechatpay/${merchantId}`,
    async load(data, remote, nameSecret = checkValue) {
      const { parts, problems } = await readParts(data, merchantId, remote);
      const unreadable = new Set(problems.map(({ field }) => field));
      // What is there and cannot be read is not missing as well.
      const isNew = ({ code, field }: PaycertError) =>
        code !== 'material-missing' ||
        !(unreadable.has(field) || (field === 'apiclient_cert.pem' && unreadable.has('merchant_serial')));
      const violations = [...problems, ...evaluate(parts, merchantId).filter(isNew)];
      if (violations.length > 0 || !isUsable(parts)) return unusable(violations, signerOf(parts));
      const { apiV3Key, certificatesResponse } = parts;
      if (apiV3Key && certificatesResponse !== undefined && openCertificates(certificatesResponse, apiV3Key)) {
        proven.add(await nameSecret(apiV3Key));
      }
      return createContext(parts, { merchantId, responseKey, legacyFieldPadding, proven, nameSecret });
    },
  };
}

const isUsable = (parts: Parts): parts is ValidParts => parts.privateKey !== undefined;

/** Its certificate's dates are checked also where something else is wrong: all faults are reported at once. */
const signerOf = ({ certificate }: Parts): KeySet['signer'] =>
  certificate && { facts: certificateFacts(certificate, 'merchant'), publicKey: certificate.publicKey };
