// What Alipay material must be, whatever the time. The list is the specification; each rule names its own violations.
import type { X509Certificate } from 'node:crypto';
import { isCertifiedBy } from '../../crypto/private-key.ts';
import { nameAttribute, publicKeyFingerprint } from '../../crypto/x509.ts';
import { type PaycertError, violation } from '../../errors.ts';
import type { NamedKey } from '../shared/material.ts';
import type { Settings } from './options.ts';
import type { NamedChain, Parts } from './parts.ts';
import { misplacedCertificates } from './places.ts';
import { schemeOf } from './schemes.ts';
import { isRsaSigned, serialOf } from './serials.ts';
import { environmentOf } from './trust.ts';

/** `unread`: files that the other mode reads. */
type Rule = (parts: Parts, options: Settings, unread: readonly string[]) => readonly PaycertError[];

/** Signing needs the private key; in certificate mode every request names the application's certificate and the roots. */
const requiredParts: Rule = ({ privateKeys, appCertificates, roots }, { mode }, unread) => {
  const other = unread.length > 0 ? `, and ${unread.join(', ')} is read in \`mode: key\` only` : '';
  const inCertificateMode = `is missing; \`mode: certificate\` needs it${other}`;
  return [
    ...(privateKeys.length > 0 ? [] : violation('material-missing', 'app_private_key', 'is missing')),
    ...(mode === 'key' || appCertificates.length > 0
      ? []
      : violation('material-missing', 'appCertPublicKey.crt', inCertificateMode)),
    ...(mode === 'key' || roots ? [] : violation('material-missing', 'alipayRootCert.crt', inCertificateMode)),
  ];
};

/** The same key under two names is a leftover; two keys are a rotation that was half made. */
const onePrivateKey: Rule = ({ privateKeys: [first, ...others] }) =>
  others.flatMap(([name, key]) =>
    first && publicKeyFingerprint(key.publicKey) !== publicKeyFingerprint(first[1].publicKey)
      ? violation('key-mismatch', name, `holds another private key than ${first[0]}`)
      : [],
  );

/** Every key is one that an algorithm of Alipay takes. */
const soundKeys: Rule = (parts, options) =>
  namedKeys(parts, options).flatMap(([field, key]) => schemeOf(key).suite.check(key, field));

const keyMatchesCertificate: Rule = (parts, { mode }) => {
  const { privateKeys, appCertificates } = parts;
  const [key] = privateKeys;
  const [certificate] = appCertificates;
  return mode === 'certificate' && key && certificate && ownCertificate(parts) === undefined
    ? violation('key-mismatch', key[0], `does not belong to ${certificate.name}`)
    : [];
};

/** An application's certificate is named `PARTNER-APPID`. */
const certificateNamesApp: Rule = (parts, { mode, appId }) => {
  const own = mode === 'certificate' ? ownCertificate(parts) : undefined;
  const named = own && /-([^-]+)$/.exec(nameAttribute(own.leaf.subject, 'CN') ?? '')?.[1];
  if (own === undefined || named === undefined || named === appId) return [];
  const isAlmost = named.trim().toLowerCase() === appId.trim().toLowerCase();
  const difference = isAlmost ? 'an AppID that differs from `appId` in case or spaces' : 'another app than `appId`';
  return violation('app-mismatch', own.name, `names ${difference}`);
};

/** The most common mistake of all: the application's own public key in the place of Alipay's. */
const platformIsNotApp: Rule = (parts, options) => {
  // Also the key of a certificate that was renewed: it is the application's, whether or not its private half is here.
  const own = new Set(
    [
      ...parts.privateKeys.map(([, { publicKey }]) => publicKey),
      ...parts.appCertificates.map(({ leaf }) => leaf.publicKey),
    ].map(publicKeyFingerprint),
  );
  return platformKeys(parts, options).flatMap(([name, publicKey]) =>
    own.has(publicKeyFingerprint(publicKey))
      ? violation('platform-key-is-merchant', name, 'is the application’s own, not Alipay’s')
      : [],
  );
};

const oneKeyPerSerial: Rule = ({ alipayCertificates }, { mode }) => {
  const seen = new Map<string, string>();
  if (mode === 'key') return [];
  return alipayCertificates.flatMap(({ name, leaf }) => {
    const key = publicKeyFingerprint(leaf.publicKey);
    const known = seen.get(serialOf(leaf)) ?? key;
    seen.set(serialOf(leaf), known);
    return known === key
      ? []
      : violation('serial-conflict', name, 'has the serial number of another Alipay certificate, and a different key');
  });
};

const rootsCount: Rule = ({ roots }, { mode }) =>
  mode === 'certificate' && roots && !roots.certificates.some(isRsaSigned)
    ? violation('certificate-malformed', roots.name, 'holds no root certificate that RSA signed')
    : [];

const inPlace: Rule = (parts, { mode }) => (mode === 'key' ? [] : misplacedCertificates(parts));

/** A certificate of the other environment is refused by the gateway, at the first payment. */
const oneEnvironment: Rule = (parts, { mode, gateway }) => {
  if (mode === 'key') return [];
  const { appCertificates, alipayCertificates, roots } = parts;
  const foreign = (certificate: X509Certificate) =>
    environmentOf(certificate) !== undefined && environmentOf(certificate) !== gateway;
  // A production root beside the sandbox is a warning, at `partWarnings`.
  const rootName = gateway === 'production' && roots?.certificates.some(foreign) === true ? roots.name : undefined;
  return [
    ...[...appCertificates, ...alipayCertificates].filter(({ leaf }) => foreign(leaf)).map(({ name }) => name),
    ...(rootName === undefined ? [] : [rootName]),
  ].flatMap((name) => violation('environment-mismatch', name, `is not of the environment of \`gateway: ${gateway}\``));
};

const rules: readonly Rule[] = [
  requiredParts,
  onePrivateKey,
  soundKeys,
  keyMatchesCertificate,
  certificateNamesApp,
  inPlace,
  platformIsNotApp,
  oneKeyPerSerial,
  rootsCount,
  oneEnvironment,
];

/** Every violation, in the order of the list. */
export function evaluate(parts: Parts, options: Settings, unread: readonly string[] = []): readonly PaycertError[] {
  return rules.flatMap((rule) => rule(parts, options, unread));
}

/** The certificate of the private key: of several, such as a renewed one, the one that lives longest. */
export function ownCertificate({ privateKeys: [key], appCertificates }: Parts): NamedChain | undefined {
  const [own] = appCertificates
    .filter(({ leaf }) => key !== undefined && isCertifiedBy(key[1], leaf))
    .toSorted((a, b) => b.leaf.validToDate.getTime() - a.leaf.validToDate.getTime());
  return own;
}

/** What verifies: Alipay's certificates, or its public keys. */
function platformKeys({ alipayCertificates, alipayPublicKeys }: Parts, { mode }: Settings): readonly NamedKey[] {
  if (mode === 'key') return alipayPublicKeys;
  return alipayCertificates.map(({ name, leaf }) => [name, leaf.publicKey]);
}

function namedKeys(parts: Parts, options: Settings): readonly NamedKey[] {
  const own = options.mode === 'key' ? [] : parts.appCertificates;
  return [
    ...parts.privateKeys.map(([name, { publicKey }]): NamedKey => [name, publicKey]),
    ...own.map(({ name, leaf }): NamedKey => [name, leaf.publicKey]),
    ...platformKeys(parts, options),
  ];
}
