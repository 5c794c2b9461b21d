// What WeChat Pay material must be, whatever the time. The list is the specification; each rule names its own violations.
import type { X509Certificate } from 'node:crypto';
import { isCertifiedBy } from '../../crypto/private-key.ts';
import { nameAttribute, normalizeSerial, publicKeyFingerprint, wireSerial } from '../../crypto/x509.ts';
import { type PaycertError, violation } from '../../errors.ts';
import { holderOf, isOfTenpay, isPlatformOfWechat, isSelfIssued, merchantIdOf } from '../shared/holder.ts';
import type { NamedKey } from '../shared/material.ts';
import { certificateNamesMerchant, keyMatchesCertificate, nameOf } from '../shared/merchant-pair.ts';
import { schemeOf } from './schemes.ts';
import type { NamedCertificate, Parts } from './parts.ts';

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

/** It names the merchant’s own certificate, and no other that is here. */
const serialIsOwn: Rule = (parts) => {
  const { certificate, merchantSerial, privateKey } = parts;
  if (merchantSerial === undefined) return [];
  const isNamed = (one: X509Certificate) => normalizeSerial(one.serialNumber) === normalizeSerial(merchantSerial);
  if (certificate && isNamed(certificate)) return [];
  const other = knownCertificates(parts).find(
    (known) => isNamed(known.certificate) && !(privateKey && isCertifiedBy(privateKey, known.certificate)),
  );
  const whose = other && `is the serial number of ${other.name}, which is not the merchant’s own certificate`;
  const beside = certificate && `is not the serial number of ${nameOf(parts)}, ${wireSerial(certificate.serialNumber)}`;
  const what = [beside, whose].filter((words) => words !== undefined).join('; it ');
  return what === '' ? [] : violation('merchant-serial-mismatch', 'merchant_serial', what);
};

/** WeChat Pay makes the id; a serial number behind its prefix names nothing there. */
const publicKeyIdIsNoSerial: Rule = (parts) => {
  const { publicKeyId = '', merchantSerial } = parts;
  const isTail = (serial: string) =>
    normalizeSerial(publicKeyId.slice('PUB_KEY_ID_'.length)) === normalizeSerial(serial);
  const known = knownCertificates(parts).find(({ certificate }) => isTail(certificate.serialNumber));
  const name = known?.name ?? (merchantSerial !== undefined && isTail(merchantSerial) ? 'merchant_serial' : undefined);
  return publicKeyId === '' || name === undefined
    ? []
    : violation('public-key-id-malformed', 'pub_key_id', `is PUB_KEY_ID_ before the serial number of ${name}`);
};

/** Every certificate of the material, with the file that holds it. */
const knownCertificates = (parts: Parts): readonly NamedCertificate[] => [
  ...parts.platformCertificates,
  ...(parts.certificate ? [{ name: nameOf(parts), certificate: parts.certificate }] : []),
  ...parts.retired.flatMap(({ name, certificate }) => (certificate ? [{ name, certificate }] : [])),
  ...parts.trust.map((certificate) => ({ name: 'trust.pem', certificate })),
];

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

/** Whatever it signs, nobody else answers a request: what it verified would not be WeChat Pay's word. */
const platformIsPlatform: Rule = ({ platformCertificates }, merchantId) =>
  platformCertificates.flatMap(({ name, certificate }) => {
    if (isPlatformOfWechat(certificate) || merchantIdOf(certificate) === merchantId) return [];
    const merchant = merchantIdOf(certificate);
    const holder = holderOf(certificate) ?? (merchant && `the certificate of the merchant ${merchant}`);
    if (holder !== undefined) return violation('platform-certificate-unusable', name, `is ${holder}`);
    // Not its issuer’s name alone: authorities are replaced, and a name of Tenpay’s is worth no more than a warning.
    return isOfTenpay(certificate) && !isSelfIssued(certificate)
      ? []
      : violation('platform-certificate-unusable', name, 'is not WeChat Pay’s: neither its name nor its issuer’s is one of Tenpay.com'); // prettier-ignore
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
  serialIsOwn,
  publicKeyIdIsNoSerial,
  certificateNamesMerchant,
  platformIsNotMerchant,
  platformIsPlatform,
  oneKeyPerSerial,
];

/** Every violation, in the order of the list. */
export function evaluate(parts: Parts, merchantId: string): readonly PaycertError[] {
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
