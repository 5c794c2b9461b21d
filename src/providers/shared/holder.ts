// Whose a certificate is, by the names that WeChat Pay, Alipay and their authorities write into those that they issue.
import type { X509Certificate } from 'node:crypto';
import { nameAttribute } from '../../crypto/x509.ts';

const commonNameOf = ({ subject }: X509Certificate): string => nameAttribute(subject, 'CN') ?? '';

/** Signed by its own key, as far as its names say. */
export const isSelfIssued = ({ subject, issuer }: X509Certificate): boolean => subject === issuer;

/** As WeChat Pay calls its own, whichever of its authorities issued it: their names change. */
export const isPlatformOfWechat = (certificate: X509Certificate): boolean =>
  !certificate.ca && commonNameOf(certificate) === 'Tenpay.com sign';

/** An authority of WeChat Pay’s, or what one has issued. */
export const isOfTenpay = ({ subject, issuer }: X509Certificate): boolean =>
  [subject, issuer].some((name) => /^(?:CN|O|OU)=.*Tenpay/im.test(name));

/** A merchant certificate of WeChat Pay has the merchant id as its common name. */
export function merchantIdOf(certificate: X509Certificate): string | undefined {
  const name = commonNameOf(certificate);
  return /^\d{6,16}$/.test(name) ? name : undefined;
}

/** An application’s certificate of Alipay is named `PARTNER-APPID`. */
export const appIdOf = (certificate: X509Certificate): string | undefined =>
  /^\d+-(\w+)$/.exec(commonNameOf(certificate))?.[1];

/** Of production or of the sandbox; the latter's may not sign certificates by its own extensions, and does. */
const isOfAnt = (name: string | undefined): boolean => /^Ant Financial/.test(nameAttribute(name, 'O') ?? '');

export const isAuthority = (certificate: X509Certificate): boolean => certificate.ca || isOfAnt(certificate.subject);

/** In words, where the names say it; undefined for a certificate of somebody else. */
export function holderOf(certificate: X509Certificate): string | undefined {
  if (isAuthority(certificate))
    return `the certificate of an authority, ${commonNameOf(certificate) || 'without a name'}`;
  if (isPlatformOfWechat(certificate)) return 'a platform certificate of WeChat Pay';
  const appId = appIdOf(certificate);
  if (appId !== undefined) return `the certificate of the application ${appId} at Alipay`;
  if (isOfAnt(certificate.issuer)) return 'Alipay’s own certificate';
  const merchantId = isOfTenpay(certificate) ? merchantIdOf(certificate) : undefined;
  return merchantId === undefined ? undefined : `the certificate of the merchant ${merchantId} of WeChat Pay`;
}
