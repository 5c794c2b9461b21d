// Writes requests for certificates (PKCS #10, RFC 2986), which node:crypto neither reads nor writes.
import { type KeyObject, sign } from 'node:crypto';
import { derTag, writeDer } from './der.ts';
import { dnsName, ecdsaWithSha256, extension, nameOf, oid, publicDer, sequence, set, toPem } from './issue.ts';

export interface CertificateRequest {
  /** Of the subject, in the common name. */
  readonly name: string;
  readonly hostNames: readonly string[];
  /** An RSA key, or one of P-256. */
  readonly key: KeyObject;
}

const attributes = 0xa0;
const extensionRequest = '2a864886f70d01090e';
const subjectAltName = '551d11';
const rsaWithSha256 = sequence(oid('2a864886f70d01010b'), writeDer(derTag.null));

/** PEM, signed with the key that it is about. */
export function requestCertificate({ name, hostNames, key }: CertificateRequest): string {
  const names = hostNames.map((host) => writeDer(dnsName, Buffer.from(host, 'latin1')));
  const extensions = sequence(extension(subjectAltName, false, sequence(...names)));
  const asked = hostNames.length === 0 ? [] : [sequence(oid(extensionRequest), writeDer(set, extensions))];
  const body = sequence(
    writeDer(derTag.integer, Buffer.from([0])),
    nameOf(name),
    publicDer(key),
    writeDer(attributes, ...asked),
  );
  const algorithm = key.asymmetricKeyType === 'rsa' ? rsaWithSha256 : ecdsaWithSha256;
  const signature = writeDer(derTag.bitString, Buffer.from([0]), sign('sha256', body, key));
  return toPem('CERTIFICATE REQUEST', sequence(body, algorithm, signature));
}
