// What X.509 signs, read as DER: certificates, revocation lists and answers about them have one frame (RFC 5280 §4.1.1).
import { type KeyObject, verify, type X509Certificate } from 'node:crypto';
import { type DerElement, DerError, derTag, readDer, readInside } from './der.ts';

/** OID of the signature algorithm, as hex → what it takes. SHA-1 is not believed. */
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
  /** What stands behind the signature. */
  readonly rest: readonly DerElement[];
  readonly isBy: (key: KeyObject) => boolean;
}

/** @throws DerError, also for a signature algorithm that is not believed */
export function readSigned(element: DerElement | undefined): Signed {
  const [body, algorithm, signature, ...rest] = readInside(element);
  if (body === undefined || signature?.tag !== derTag.bitString || signature.content[0] !== 0)
    throw new DerError('nothing that is signed');
  const [oid] = readInside(algorithm);
  const row = algorithms[oid?.content.toString('hex') ?? ''];
  if (algorithm === undefined || row === undefined) throw new DerError('not signed as it must be');
  return {
    body,
    algorithm,
    rest,
    // OpenSSL throws where a key is of another kind than the algorithm says, and whoever wrote the bytes chose what they say.
    isBy: (key) =>
      key.asymmetricKeyType === row.key && verify(row.digest, body.whole, key, signature.content.subarray(1)),
  };
}

/** The only one. @throws DerError */
export function readOne(elements: readonly DerElement[]): DerElement {
  const [first, ...more] = elements;
  if (first === undefined || more.length > 0) throw new DerError('not one element');
  return first;
}

/** Extensions (RFC 5280 §4.2) that must be understood, or what has them must not be used. @throws DerError */
export function readCritical(
  extensions: readonly DerElement[],
): { readonly oid: string; readonly value: DerElement }[] {
  return extensions.flatMap((extension) => {
    const [oid, critical, value] = readInside(extension);
    if (oid === undefined || critical?.tag !== derTag.boolean || critical.content[0] === 0) return [];
    if (value?.tag !== derTag.octetString) throw new DerError('an extension without a value');
    return [{ oid: oid.content.toString('hex'), value }];
  });
}

/** What node:crypto shows of a certificate as text only. */
export interface CertificateParts {
  readonly serialNumber: DerElement;
  readonly issuer: DerElement;
  readonly subject: DerElement;
  /** The bits of the subject's public key, as digests of keys are made (RFC 5280 §4.2.1.2). */
  readonly publicKey: Buffer;
}

/** None of one that OpenSSL reads and that is no DER. */
export function certificateParts(certificate: X509Certificate): CertificateParts | undefined {
  try {
    const fields = readInside(readInside(readOne(readDer(certificate.raw)))[0]);
    // Version 1 does not say so.
    if (fields[0]?.tag === derTag.explicit0) fields.shift();
    const [serialNumber, , issuer, , subject, key] = fields;
    const [, bits] = readInside(key);
    if (!serialNumber || !issuer || !subject || bits?.tag !== derTag.bitString) return undefined;
    return { serialNumber, issuer, subject, publicKey: bits.content.subarray(1) };
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
