// What Alipay's files hold, for `paycert inspect`: certificates with the SN that requests and answers name them by.
import type { X509Certificate } from 'node:crypto';
import { checkValue } from '../../crypto/cipher.ts';
import { certificateFingerprint, describeAlgorithm, nameAttribute } from '../../crypto/x509.ts';
import { readParts } from '../../providers/alipay/parts.ts';
import { isRsaSigned, rootSerialOf, serialOf } from '../../providers/alipay/serials.ts';
import { environmentOf } from '../../providers/alipay/trust.ts';
import type { Facts } from './finding.ts';

const isRootName = (name: string): boolean => /^alipayRootCert[^/]*\.(?:crt|cer|pem)$/.test(name);

/** What is known by its name alone: the roots, which count together, and the key of contents. Nothing for other names. */
export function describeAlipayFile(bytes: Uint8Array, name: string): Facts | undefined {
  if (!isRootName(name) && !/^aes_key(?:\.previous)?$/.test(name)) return undefined;
  const { parts, problems } = readParts(new Map([[name, bytes]]));
  const [problem] = problems;
  if (problem !== undefined) throw problem;
  const [aes] = parts.aesKeys;
  if (aes !== undefined)
    return { what: `AES key of Alipay’s contents (${name})`, keyId: checkValue(aes[1]), algorithm: 'AES-128-CBC' };
  const { certificates = [], unreadable = 0 } = parts.roots ?? {};
  const counted = certificates.filter(isRsaSigned);
  return {
    what: `Alipay roots, ${counted.length} of ${certificates.length + unreadable} count (alipay_root_cert_sn)`,
    keyId: rootSerialOf(counted),
    algorithm: [...new Set(counted.map(({ publicKey }) => describeAlgorithm(publicKey)))].join(', '),
  };
}

/** A certificate that Alipay issued, to itself or to an application. Nothing for others. */
export function describeAlipayCertificate(certificate: X509Certificate): Facts | undefined {
  const environment = environmentOf(certificate);
  if (environment === undefined || certificate.issuer === certificate.subject || certificate.ca) return undefined;
  const appId = /^\d+-(\w+)$/.exec(nameAttribute(certificate.subject, 'CN') ?? '')?.[1];
  const where = environment === 'sandbox' ? ', sandbox' : '';
  return {
    what:
      appId === undefined
        ? `Alipay’s certificate${where} (alipayCertPublicKey_RSA2*.crt, alipay_cert_sn)`
        : `application certificate of ${appId}${where} (appCertPublicKey*.crt, app_cert_sn)`,
    keyId: serialOf(certificate),
    algorithm: describeAlgorithm(certificate.publicKey),
    fingerprint: certificateFingerprint(certificate),
    issuer: certificate.issuer.split('\n').join(', '),
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
  };
}
