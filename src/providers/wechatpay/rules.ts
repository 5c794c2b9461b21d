// What WeChat Pay material must be, whatever the time. The list is the specification; each rule names its own violations.
import { nameAttribute, normalizeSerial, publicKeyFingerprint } from '../../crypto/x509.ts';
import { type PaycertError, violation } from '../../errors.ts';
import type { NamedKey } from '../shared/material.ts';
import { certificateNamesMerchant, keyMatchesCertificate, nameOf } from '../shared/merchant-pair.ts';
import { schemeOf } from './schemes.ts';
import type { Parts } from './parts.ts';

type Rule = (parts: Parts, merchantId: string) => readonly PaycertError[];

/** Signing needs a private key and the serial number that names it; the public key needs its id. */
const requiredParts: Rule = ({ privateKey, certificate, merchantSerial, publicKey, publicKeyId }) => [
  ...(privateKey ? [] : violation('material-missing', 'apiclient_key.pem', 'is missing')),
  ...((certificate ?? merchantSerial)
    ? []
    : violation('material-missing', 'apiclient_cert.pem', 'is missing, and so is merchant_serial')),
  ...(publicKey && !publicKeyId ? violation('material-missing', 'pub_key_id', 'is missing beside pub_key.pem') : []),
  ...(publicKeyId && !publicKey ? violation('material-missing', 'pub_key.pem', 'is missing beside pub_key_id') : []),
];

/** Every key is one that an algorithm of WeChat Pay takes. */
const soundKeys: Rule = (parts) => namedKeys(parts).flatMap(([field, key]) => schemeOf(key).suite.check(key, field));

const serialMatchesCertificate: Rule = (parts) =>
  parts.certificate &&
  parts.merchantSerial &&
  normalizeSerial(parts.certificate.serialNumber) !== normalizeSerial(parts.merchantSerial)
    ? violation('merchant-serial-mismatch', 'merchant_serial', `is not the serial number of ${nameOf(parts)}`)
    : [];

/** The most common mistake of all: verifying with our own certificate, which would accept what anybody here signs. */
const platformIsNotMerchant: Rule = ({ privateKey, retired, platformCertificates, publicKey }, merchantId) => {
  const own = [...(privateKey ? [privateKey] : []), ...retired.map((one) => one.privateKey)];
  const prints = new Set(own.map((key) => publicKeyFingerprint(key.publicKey)));
  const message = 'is the merchant’s own, not the platform’s';
  return [
    ...platformCertificates.flatMap(({ name, certificate: { publicKey: key, subject } }) =>
      prints.has(publicKeyFingerprint(key)) || nameAttribute(subject, 'CN') === merchantId
        ? violation('platform-key-is-merchant', name, message)
        : [],
    ),
    ...(publicKey && prints.has(publicKeyFingerprint(publicKey))
      ? violation('platform-key-is-merchant', 'pub_key.pem', message)
      : []),
  ];
};

/** Whatever it signs, an authority or a merchant answers no request: what it verified would not be WeChat Pay's word. */
const platformIsPlatform: Rule = ({ platformCertificates }, merchantId) =>
  platformCertificates.flatMap(({ name, certificate }) => {
    const commonName = nameAttribute(certificate.subject, 'CN') ?? '';
    if (certificate.ca) return violation('platform-certificate-unusable', name, 'is a certificate of an authority');
    return /^\d{6,16}$/.test(commonName) && commonName !== merchantId
      ? violation('platform-certificate-unusable', name, `is the certificate of the merchant ${commonName}`)
      : [];
  });

const oneKeyPerSerial: Rule = ({ platformCertificates }) => {
  const seen = new Map<string, string>();
  return platformCertificates.flatMap(({ name, certificate }) => {
    const serial = normalizeSerial(certificate.serialNumber);
    const key = publicKeyFingerprint(certificate.publicKey);
    const known = seen.get(serial);
    seen.set(serial, known ?? key);
    return known === undefined || known === key
      ? []
      : violation(
          'serial-conflict',
          name,
          'has the serial number of another platform certificate, and a different key',
        );
  });
};

const rules: readonly Rule[] = [
  requiredParts,
  soundKeys,
  keyMatchesCertificate,
  serialMatchesCertificate,
  certificateNamesMerchant,
  platformIsNotMerchant,
  platformIsPlatform,
  oneKeyPerSerial,
];

/** Every violation, in the order of the list. */
export function judge(parts: Parts, merchantId: string): readonly PaycertError[] {
  return rules.flatMap((rule) => rule(parts, merchantId));
}

function namedKeys(parts: Parts): NamedKey[] {
  return [
    ...(parts.privateKey ? [['apiclient_key.pem', parts.privateKey.publicKey] as const] : []),
    ...parts.platformCertificates.map(({ name, certificate }) => [name, certificate.publicKey] as const),
    ...(parts.publicKey ? [['pub_key.pem', parts.publicKey] as const] : []),
    ...parts.retired.map(({ name, privateKey }) => [name, privateKey.publicKey] as const),
  ];
}
