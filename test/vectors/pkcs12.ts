// PKCS#12 containers: the private key, the certificates with the leaf first, and passwords that must not open them.
import type { KeyObject, X509Certificate } from 'node:crypto';
import { type Pkcs12, readPkcs12 } from '../../src/crypto/pkcs12.ts';
import {
  certificateFingerprint,
  nameAttribute,
  normalizeSerial,
  publicKeyFingerprint,
  wireSerial,
} from '../../src/crypto/x509.ts';
import { Unusable } from './findings.ts';
import { isObject, listOf } from './read.ts';
import type { Situation } from './situation.ts';

function containerOf(situation: Situation): Buffer {
  const base64 = situation.text('p12_base64', 'pfx_base64', 'pkcs12_base64');
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  const name = situation.need('p12', 'pfx', 'pkcs12', 'file', 'p12_file');
  return situation.file(name) ?? Buffer.from(name, 'base64');
}

/** However a source writes the same moment. */
const instant = (text: string): string => {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? text : time.toISOString();
};

/** A fact of a certificate under a name that a vector may give it. */
const facts: readonly (readonly [RegExp, (certificate: X509Certificate) => unknown, (expected: string) => string])[] = [
  [/sha256|fingerprint/, certificateFingerprint, (text) => text.replaceAll(':', '').toLowerCase()],
  [/issuer_cn/, ({ issuer }) => nameAttribute(issuer, 'CN'), String],
  [/cn$|common_name/, ({ subject }) => nameAttribute(subject, 'CN'), String],
  [/not_?after|valid_to|expire/, ({ validToDate }) => validToDate.toISOString(), instant],
  [/not_?before|valid_from|effective/, ({ validFromDate }) => validFromDate.toISOString(), instant],
  [/serial/, ({ serialNumber }) => wireSerial(serialNumber), wireSerial],
];

/** Order is the container's own business, but for the leaf: each expected certificate is found by its digest or serial. */
function checkCertificates(
  situation: Situation,
  found: readonly X509Certificate[],
  expected: readonly unknown[],
): void {
  situation.equal('the number of certificates', found.length, expected.length);
  expected.forEach((entry, i) => {
    const wanted = isObject(entry) ? entry : { sha256: entry };
    const known = Object.entries(wanted).flatMap(([key, value]) => {
      const row = facts.find(([pattern]) => pattern.test(key));
      return row ? [{ key, read: row[1], value: row[2](String(value)) }] : [];
    });
    const isIt = (certificate: X509Certificate) => known.every(({ read, value }) => read(certificate) === value);
    situation.assert(known.length > 0 && found.some(isIt), `certificate ${i + 1} is not in the container`);
  });
}

/** `RSA`, `RSAPrivateKey`, `ec-p256` … */
const isTypeName = (name: string, kind: string): boolean =>
  new RegExp(`^${kind}(?:_?private_?key)?(?:[^a-z].*)?$`, 'i').test(name);

function checkKey(situation: Situation, key: KeyObject): void {
  const type = situation.expectsText('private_key_type', 'key_type');
  const kind = key.asymmetricKeyType ?? 'unknown';
  if (type !== undefined) situation.assert(isTypeName(type, kind), `the private key is of type ${kind}`);
  const digest = situation.expectsText('private_key_spki_sha256', 'spki_sha256', 'public_key_sha256');
  if (digest !== undefined) situation.equal('the public key’s digest', publicKeyFingerprint(key), digest.toLowerCase());
  const bits = situation.expects('private_key_bits', 'key_size', 'key_bits');
  if (bits !== undefined) situation.equal('the key’s size', key.asymmetricKeyDetails?.modulusLength, bits);
}

function checkLeaf(situation: Situation, { privateKey, certificates: [leaf] }: Pkcs12): void {
  const digest = situation.expectsText('leaf_sha256', 'certificate_sha256');
  const serial = situation.expectsText('leaf_serial', 'serial_hex', 'serial_no', 'serial');
  const name = situation.expectsText('leaf_cn', 'subject_cn', 'mchid');
  const isPair = situation.expects(...situation.expectedKeys(/(?:^|_)match(?:es)?(?:_|$)/));
  if ((digest ?? serial ?? name ?? isPair) === undefined) return;
  if (leaf === undefined) throw new Unusable('the container holds no certificate');
  if (digest !== undefined) situation.equal('the leaf’s digest', certificateFingerprint(leaf), digest.toLowerCase());
  if (serial !== undefined)
    situation.equal('the leaf’s serial', normalizeSerial(leaf.serialNumber), normalizeSerial(serial));
  if (name !== undefined) situation.equal('the leaf’s name', nameAttribute(leaf.subject, 'CN'), name);
  if (isPair !== undefined)
    situation.equal('whether key and leaf are a pair', leaf.checkPrivateKey(privateKey), isPair);
}

export async function checkPkcs12(situation: Situation): Promise<void> {
  const password = situation.text('password', 'mchid', 'passphrase') ?? '';
  const opened = await situation.run(() => readPkcs12(containerOf(situation), password, 'p12'));
  if (opened === undefined) return;
  const expected = situation.expects('certificates', 'certs', 'chain');
  if (typeof expected === 'number') situation.equal('the number of certificates', opened.certificates.length, expected);
  else if (expected !== undefined) checkCertificates(situation, opened.certificates, listOf(expected));
  const count = situation.expects('certificate_count', 'count');
  if (count !== undefined) situation.equal('the number of certificates', opened.certificates.length, count);
  checkKey(situation, opened.privateKey);
  checkLeaf(situation, opened);
}
