// What a pair must be to be presented in TLS, whatever the time. The list is the specification; each rule names its own violations.
import type { KeyObject } from 'node:crypto';
import { rsaSizeProblems } from '../../crypto/suites.ts';
import { describeAlgorithm, isIssuedWithin, nameAttribute, normalizeSerial } from '../../crypto/x509.ts';
import { type PaycertError, violation } from '../../errors.ts';
import { certificateName, keyName, type Pair } from './parts.ts';

type Rule = (pair: Pair) => readonly PaycertError[];

/** Where another certificate of the file is the key's, the order is wrong, and `chainInOrder` says so. */
const keyMatchesCertificate: Rule = ({ name, privateKey, certificates }) =>
  certificates.some((one) => one.checkPrivateKey(privateKey))
    ? []
    : violation('key-mismatch', keyName(name), `does not belong to ${certificateName(name)}`);

/** At least 112 bits of security (NIST SP 800-57), and what TLS has names for (RFC 8446 §4.2.3, §4.2.7). */
const curves: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

function strengthProblems(field: string, key: KeyObject): readonly PaycertError[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa') return rsaSizeProblems(key, field);
  if (type === 'ed25519' || (type === 'ec' && curves.has(details?.namedCurve))) return [];
  return violation('algorithm-unsupported', field, `holds a key of type ${describeAlgorithm(key)} that TLS cannot use`);
}

/** Those of the chain too: peers, and OpenSSL here, refuse a weak one anywhere in it. */
const strongKeys: Rule = ({ name, privateKey, certificates: [leaf, ...chain] }) => [
  ...strengthProblems(keyName(name), privateKey),
  ...[leaf, ...chain].flatMap(({ publicKey }) => strengthProblems(certificateName(name), publicKey)),
];

/** Peers reject such signatures (RFC 9155, RFC 8446 §4.2.3). A self-signed root is trusted because it is configured, so its signature is not checked. */
const strongDigests: Rule = ({ name, certificates }) =>
  certificates.some((one) => /^(?:md|sha1)|SHA1$/i.test(one.signatureAlgorithm ?? '') && one.subject !== one.issuer)
    ? violation('algorithm-unsupported', certificateName(name), 'is signed with MD5 or SHA-1')
    : [];

/** RFC 8446 §4.4.2: each one certifies the one before it. Some servers forgive another order, and some do not. */
const chainInOrder: Rule = ({ name, privateKey, certificates }) =>
  // Of a certificate that is there twice, each is the leaf.
  (certificates[0].checkPrivateKey(privateKey) || !certificates.some((one) => one.checkPrivateKey(privateKey))) &&
  certificates.slice(1).every((issuer, index) => {
    const [subject] = certificates.slice(index);
    return subject !== undefined && isIssuedWithin(subject, [issuer]);
  })
    ? []
    : violation('chain-broken', certificateName(name), 'has a certificate that did not issue the one before it');

/**
 * What cert-manager puts there until the real one is issued, where it is asked to (`cert-manager.io/issue-temporary-certificate`):
 * signed by an authority that it throws away, and known by one serial number, of the subject or, before 1.0, of the certificate.
 */
const notTemporary: Rule = ({ name, certificates: [leaf] }) =>
  nameAttribute(leaf.subject, 'serialNumber') === '1234567890' ||
  nameAttribute(leaf.issuer, 'CN') === 'cert-manager.local' ||
  normalizeSerial(leaf.serialNumber) === '1234567890'
    ? violation('certificate-temporary', certificateName(name), 'is the temporary certificate of cert-manager')
    : [];

const rules: readonly Rule[] = [notTemporary, keyMatchesCertificate, strongKeys, strongDigests, chainInOrder];

/** Every violation, in the order of the list. */
export const evaluate = (pair: Pair): readonly PaycertError[] => rules.flatMap((rule) => rule(pair));

/** What ingress-nginx makes up where it finds no certificate: no peer knows who it is. */
export const warningsOf = ({ name, certificates: [leaf] }: Pair): readonly PaycertError[] =>
  nameAttribute(leaf.subject, 'CN') === 'Kubernetes Ingress Controller Fake Certificate'
    ? violation('material-unusual', certificateName(name), 'is the fake certificate of an ingress controller')
    : [];
