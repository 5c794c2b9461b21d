// Issues certificates for tests and the demo: node:crypto reads X.509 and cannot write it.
import { randomBytes, X509Certificate } from 'node:crypto';
import type { KeyObject, webcrypto } from 'node:crypto';
import type * as X509 from '@peculiar/x509';
import { loadOptional } from '../optional-package.ts';
import { generateKeyPair } from './key-pair.ts';
import type { KeyPair } from './key-pair.ts';

const signatureAlgorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
const dayInMilliseconds = 86_400_000;

const loadX509 = () =>
  loadOptional('@peculiar/x509 reflect-metadata', 'making certificates', async () => {
    // It looks for this one while it is imported.
    await import('reflect-metadata');
    return import('@peculiar/x509');
  });

/** A certificate with its key pair. All facts are read back from the certificate itself. */
export interface Issued extends KeyPair {
  /** PEM. */
  readonly certificate: string;
  /** Upper-case hex of even length, as `X509Certificate.serialNumber` prints it. */
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** What a leaf certificate says. */
export interface IssueOptions {
  readonly commonName: string;
  readonly organization?: string;
  /** Hex, at most 20 bytes. Leading zeros are allowed and, being a number's, are lost beyond the even length. */
  readonly serialNumber?: string;
  /** A day ago unless given. X.509 holds whole seconds: milliseconds are dropped. */
  readonly notBefore?: Date;
  /** A year after `notBefore` unless given. */
  readonly notAfter?: Date;
  /** Host names that it is for (subjectAltName); none unless given. */
  readonly hostNames?: readonly string[];
  /** Absent: a new pair is generated, which takes about 100 ms. */
  readonly keyPair?: KeyPair;
  /** Bits, for a new pair; 2048 unless given. */
  readonly modulusLength?: number;
}

/** A certificate authority that lives in memory. */
export interface Authority {
  /** Its self-signed certificate, PEM: a trust bundle for whatever it issues. */
  readonly certificate: string;
  /** Issues a leaf, signed by RSA PKCS#1 v1.5 with SHA-256. Rejects with `RangeError` for a serial number that is not hex. */
  issue(options: IssueOptions): Promise<Issued>;
}

/** Names and lifetime of an authority; nothing of it is needed. */
export interface AuthorityOptions {
  /** `Tenpay.com Root CA` unless given. */
  readonly commonName?: string;
  /** `Tenpay.com` unless given. */
  readonly organization?: string;
  /** Valid from a day before that time. Now unless given. */
  readonly now?: Date;
  /** From `now` on, in days; 3650 unless given. */
  readonly lifetimeDays?: number;
  /** Generated unless given. */
  readonly keyPair?: KeyPair;
}

/**
 * Makes a self-signed authority; what it issues may outlive it or lie in the past.
 * @throws PaycertError `package-missing` without the packages @peculiar/x509 and reflect-metadata
 * @example
 * import { X509Certificate } from 'node:crypto';
 * import { createAuthority } from 'paycert/testing';
 *
 * const authority = await createAuthority({ commonName: 'Test CA' });
 * const { certificate } = await authority.issue({ commonName: 'shop', hostNames: ['shop.example'] });
 * console.log(new X509Certificate(certificate).checkHost('shop.example')); // → shop.example
 */
export async function createAuthority(options: AuthorityOptions = {}): Promise<Authority> {
  const { commonName = 'Tenpay.com Root CA', organization = 'Tenpay.com', lifetimeDays = 3650 } = options;
  const { now = new Date() } = options;
  const x509 = await loadX509();
  const keyPair = options.keyPair ?? (await generateKeyPair());
  const name: X509.JsonName = [{ CN: [commonName] }, { O: [organization] }];
  const signingKey = keyPair.privateKey.toCryptoKey(signatureAlgorithm, false, ['sign']);
  const keyIdentifier = await x509.SubjectKeyIdentifierExtension.create(toSpki(keyPair.publicKey));
  const issuerKeyIdentifier = await x509.AuthorityKeyIdentifierExtension.create(toSpki(keyPair.publicKey));
  const root = await create({
    subject: name,
    issuer: name,
    keyPair,
    signingKey,
    notBefore: new Date(now.getTime() - dayInMilliseconds),
    notAfter: new Date(now.getTime() + lifetimeDays * dayInMilliseconds),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      keyIdentifier,
    ],
  });
  return {
    certificate: root.certificate,
    issue: async ({ modulusLength, keyPair: given, organization, hostNames = [], ...leaf }) =>
      create({
        ...leaf,
        ...validity(leaf),
        subject: [{ CN: [leaf.commonName] }, ...(organization === undefined ? [] : [{ O: [organization] }])],
        issuer: name,
        keyPair: given ?? (await generateKeyPair(modulusLength)),
        signingKey,
        extensions: [
          new x509.BasicConstraintsExtension(false),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
          issuerKeyIdentifier,
          ...(hostNames.length === 0
            ? []
            : [new x509.SubjectAlternativeNameExtension(hostNames.map((value) => ({ type: 'dns', value })))]),
        ],
      }),
  };
}

function validity({
  notBefore = new Date(Date.now() - dayInMilliseconds),
  notAfter,
}: Pick<IssueOptions, 'notBefore' | 'notAfter'>) {
  return { notBefore, notAfter: notAfter ?? new Date(notBefore.getTime() + 365 * dayInMilliseconds) };
}

interface CertificateParts extends Pick<IssueOptions, 'serialNumber'>, Pick<Issued, 'notBefore' | 'notAfter'> {
  readonly subject: X509.JsonName;
  readonly issuer: X509.JsonName;
  readonly keyPair: KeyPair;
  readonly signingKey: webcrypto.CryptoKey;
  readonly extensions: X509.Extension[];
}

async function create({ keyPair, serialNumber = randomSerialNumber(), ...parts }: CertificateParts): Promise<Issued> {
  if (!/^[0-9a-f]{1,40}$/i.test(serialNumber)) throw new RangeError('A serial number is 1 to 40 hexadecimal digits.');
  const x509 = await loadX509();
  const made = await x509.X509CertificateGenerator.create({
    ...parts,
    serialNumber: serialNumber.length % 2 === 0 ? serialNumber : `0${serialNumber}`,
    publicKey: toSpki(keyPair.publicKey),
    signingAlgorithm: signatureAlgorithm,
  });
  const read = new X509Certificate(Buffer.from(made.rawData));
  return {
    privateKey: keyPair.privateKey,
    publicKey: keyPair.publicKey,
    certificate: read.toString(),
    serialNumber: read.serialNumber,
    notBefore: read.validFromDate,
    notAfter: read.validToDate,
  };
}

// Twenty bytes as Tenpay's; the first byte keeps the number positive and the length constant.
function randomSerialNumber(): string {
  return `5a${randomBytes(19).toString('hex')}`;
}

function toSpki(publicKey: KeyObject): Uint8Array<ArrayBuffer> {
  return new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
}
