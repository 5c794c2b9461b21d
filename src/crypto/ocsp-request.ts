// Which responder to query about a certificate, and the request (OCSP: RFC 6960 §4.1, and the profile of RFC 5019).
import { hash, type X509Certificate } from 'node:crypto';
import { derTag, writeDer } from './der.ts';
import { certificateParts } from './signed.ts';

/** OIDs of the digests that name an issuer, as hex → their names. */
export const ocspDigests: Readonly<Record<string, string>> = { '2b0e03021a': 'sha1', '608648016503040201': 'sha256' };

/** Every responder knows it (RFC 5019 §2.1.1). It names an issuer here, and proves nothing. */
const sha1 = Buffer.from('2b0e03021a', 'hex');

const sequence = (...parts: readonly Uint8Array[]): Buffer => writeDer(derTag.sequence, ...parts);

/** The address of the responder that a certificate names (RFC 5280 §4.2.2.1), if it names one over HTTP. */
export const responderOf = ({ infoAccess = '' }: X509Certificate): string | undefined =>
  /^OCSP - URI:(http:\/\/[!-~]+)$/im.exec(infoAccess)?.[1];

/** A request about one certificate. Without a nonce, so that a response that was made before will do (RFC 5019 §2.1.1, §4). */
export function writeOcspRequest(certificate: X509Certificate, issuer: X509Certificate): Uint8Array | undefined {
  const [own, above] = [certificateParts(certificate), certificateParts(issuer)];
  if (own === undefined || above === undefined) return undefined;
  const digest = (bytes: Uint8Array) => writeDer(derTag.octetString, hash('sha1', bytes, 'buffer'));
  const algorithm = sequence(writeDer(derTag.objectIdentifier, sha1), writeDer(derTag.null));
  const id = sequence(algorithm, digest(own.issuer.whole), digest(above.publicKey), own.serialNumber.whole);
  // OCSPRequest, TBSRequest, requestList, Request.
  return sequence(sequence(sequence(sequence(id))));
}
