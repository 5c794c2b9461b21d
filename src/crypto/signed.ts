// What X.509 signs, read as DER: certificates, revocation lists and OCSP responses have one frame (RFC 5280 §4.1.1).
import { type KeyObject, verify, type X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { type DerElement, DerError, derTag, readDer, readInside } from './der.ts';

/** OID of the signature algorithm, as hex → what it takes. SHA-1 is not trusted. */
const algorithms: Readonly<Record<string, { readonly digest: string | null; readonly key: string }>> = {
  '2a864886f70d01010b': { digest: 'sha256', key: 'rsa' },
  '2a864886f70d01010c': { digest: 'sha384', key: 'rsa' },
  '2a864886f70d01010d': { digest: 'sha512', key: 'rsa' },
  '2a8648ce3d040302': { digest: 'sha256', key: 'ec' },
  '2a8648ce3d040303': { digest: 'sha384', key: 'ec' },
  '2a8648ce3d040304': { digest: 'sha512', key: 'ec' },
  '2b6570': { digest: null, key: 'ed25519' },
};

export interface Signed {
  readonly body: DerElement;
  readonly algorithm: DerElement;
  /** What follows the signature. */
  readonly rest: readonly DerElement[];
  readonly isBy: (key: KeyObject) => boolean;
  /** The same in the thread pool, for what may be megabytes. */
  readonly isSignedBy: (key: KeyObject) => Promise<boolean>;
}

/** @throws DerError, also for a signature algorithm that is not trusted */
export function readSigned(element: DerElement | undefined): Signed {
  const [body, algorithm, signature, ...rest] = readInside(element);
  if (body === undefined || signature?.tag !== derTag.bitString || signature.content[0] !== 0)
    throw new DerError('not a signed structure');
  const [oid] = readInside(algorithm);
  const row = algorithms[oid?.content.toString('hex') ?? ''];
  if (algorithm === undefined || row === undefined) throw new DerError('not signed as it must be');
  const bits = signature.content.subarray(1);
  // OpenSSL throws where a key is of another kind than the algorithm says, and the bytes are untrusted.
  const isKind = ({ asymmetricKeyType }: KeyObject) => asymmetricKeyType === row.key;
  return {
    body,
    algorithm,
    rest,
    isBy: (key) => isKind(key) && verify(row.digest, body.whole, key, bits),
    isSignedBy: async (key) => isKind(key) && verifyApart(row.digest, body.whole, key, bits),
  };
}

const verifyApart = promisify(verify) as (
  digest: string | null,
  data: Uint8Array,
  key: KeyObject,
  signature: Uint8Array,
) => Promise<boolean>;

/** The only one. @throws DerError */
export function readOne(elements: readonly DerElement[]): DerElement {
  const [first, ...more] = elements;
  if (first === undefined || more.length > 0) throw new DerError('not one element');
  return first;
}

export interface Extension {
  readonly oid: string;
  readonly isCritical: boolean;
  /** An octet string with the extension's own DER. */
  readonly value: DerElement;
}

/** Extensions (RFC 5280 §4.2), each OID in hex. @throws DerError */
export const readExtensions = (extensions: readonly DerElement[]): readonly Extension[] =>
  extensions.map((extension) => {
    const [oid, ...rest] = readInside(extension);
    const critical = rest[0]?.tag === derTag.boolean ? rest.shift() : undefined;
    const value = readOne(rest);
    if (oid?.tag !== derTag.objectIdentifier || value.tag !== derTag.octetString)
      throw new DerError('an extension without a value');
    const isCritical = critical !== undefined && critical.content[0] !== 0;
    return { oid: oid.content.toString('hex'), isCritical, value };
  });

/** Extensions that must be understood, or what has them must not be used. @throws DerError */
export const readCritical = (extensions: readonly DerElement[]): readonly Extension[] =>
  readExtensions(extensions).filter(({ isCritical }) => isCritical);

/** What node:crypto shows of a certificate as text only. */
export interface CertificateParts {
  readonly serialNumber: DerElement;
  readonly issuer: DerElement;
  readonly subject: DerElement;
  /** The bits of the subject's public key, as digests of keys are made (RFC 5280 §4.2.1.2). */
  readonly publicKey: Buffer;
}

/** The fields of a certificate from its serial number on. @throws DerError */
function certificateFields(certificate: X509Certificate): DerElement[] {
  const fields = readInside(readInside(readOne(readDer(certificate.raw)))[0]);
  // Version 1 does not say so.
  if (fields[0]?.tag === derTag.explicit0) fields.shift();
  return fields;
}

const explicit3 = 0xa3;

/** The value of an extension that a certificate has once. @throws DerError */
export function certificateExtension(certificate: X509Certificate, oid: string): DerElement | undefined {
  const wrapped = certificateFields(certificate).find(({ tag }) => tag === explicit3);
  if (wrapped === undefined) return undefined;
  const [own, ...more] = readExtensions(readInside(readOne(readInside(wrapped, explicit3)))).filter(
    (extension) => extension.oid === oid,
  );
  if (more.length > 0) throw new DerError('one extension twice');
  return own?.value;
}

/** None of one that OpenSSL reads and that is no DER. */
export function certificateParts(certificate: X509Certificate): CertificateParts | undefined {
  try {
    const fields = certificateFields(certificate);
    const [serialNumber, , issuer, , subject, key] = fields;
    const [, bits] = readInside(key);
    if (!serialNumber || !issuer || !subject || bits?.tag !== derTag.bitString) return undefined;
    return { serialNumber, issuer, subject, publicKey: bits.content.subarray(1) };
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
