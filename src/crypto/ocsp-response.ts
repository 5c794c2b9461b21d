// Responses of OCSP responders (RFC 6960 §4.2): which of them count. node:crypto does not read them.
import { hash, type X509Certificate } from 'node:crypto';
import { PaycertError } from '../errors.ts';
import { readCertificates } from './containers.ts';
import { type DerElement, DerError, derTag, readDer, readInside, readTime } from './der.ts';
import { assertOrdinary, type OcspStatement, readOcspStatement } from './ocsp-statement.ts';
import { certificateParts, readOne, readSigned } from './signed.ts';
import { certificateFingerprint } from './x509.ts';

export interface OcspResponse {
  /**
   * What it says of that certificate. Nothing where it is about others, or not current, or signed by anybody but the issuer and
   * those whom the issuer lets answer.
   */
  readonly about: (certificate: X509Certificate, issuer: X509Certificate, now: Date) => OcspStatement | undefined;
  readonly der: Uint8Array;
}

type Test = (certificate: X509Certificate) => boolean;

const basicResponse = '2b0601050507300101';
const ocspSigning = '1.3.6.1.5.5.7.3.9';
/** Where a response says two things of one certificate. */
const worstFirst = ['revoked', 'unknown', 'good'];

/** One in DER; none where the responder has none to give (`tryLater`, `unauthorized`), or what it gives is not one. */
export function readOcspResponse(der: Uint8Array): OcspResponse | undefined {
  try {
    return read(der);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function read(der: Uint8Array): OcspResponse {
  const { body, rest, isBy } = readSigned(readBasic(der));
  const enclosed = rest.length === 0 ? [] : readInside(readOne(readInside(readOne(rest), derTag.explicit0)));
  // A version would be the first of these; there is but one, which DER leaves out.
  const [responder, producedAt, responses, ...extensions] = readInside(body);
  if (responder === undefined || producedAt === undefined) throw new DerError('no responder is identified');
  readTime(producedAt);
  const statements = readInside(responses).map(readOcspStatement);
  assertOrdinary(extensions);
  const signerOf = findOnce(
    (issuer) => [issuer, ...enclosed.flatMap(readEnclosed).filter((one) => isLetAnswer(one, issuer))],
    both(readResponder(responder), ({ publicKey }) => isBy(publicKey)),
  );
  return {
    der,
    about(certificate, issuer, now) {
      const said = statements.filter(({ isAbout, isCurrent }) => isAbout(certificate, issuer) && isCurrent(now));
      const [worst] = said.sort((one, other) => worstFirst.indexOf(one.status) - worstFirst.indexOf(other.status));
      const signer = worst && signerOf(issuer);
      const isIssuer = signer?.fingerprint256 === issuer.fingerprint256;
      return isIssuer || (signer && isAlive(signer, now)) ? worst : undefined;
    },
  };
}

/** OCSPResponse down to its BasicOCSPResponse: nobody has signed what is around it. */
function readBasic(der: Uint8Array): DerElement {
  const [status, bytes] = readInside(readOne(readDer(der)));
  if (status?.tag !== derTag.enumerated || !status.content.equals(Buffer.of(0))) throw new DerError('no response');
  const [type, response] = readInside(readOne(readInside(bytes, derTag.explicit0)));
  if (type?.content.toString('hex') !== basicResponse || response?.tag !== derTag.octetString)
    throw new DerError('another kind of response');
  return readOne(readDer(response.content));
}

/** Signatures are costly, and a response is asked at every handshake. */
function findOnce(candidates: (issuer: X509Certificate) => readonly X509Certificate[], test: Test) {
  const found = new Map<string, X509Certificate | undefined>();
  return (issuer: X509Certificate): X509Certificate | undefined => {
    const id = certificateFingerprint(issuer);
    if (!found.has(id)) found.set(id, candidates(issuer).find(test));
    return found.get(id);
  };
}

const both =
  (first: Test, second: Test): Test =>
  (certificate) =>
    first(certificate) && second(certificate);

const isAlive = ({ validFromDate, validToDate }: X509Certificate, now: Date): boolean =>
  validFromDate <= now && now < validToDate;

/** ResponderID: who it is by name, or by SHA-1 of the key. */
function readResponder({ tag, content }: DerElement): Test {
  const id = readOne(readDer(content));
  if (tag === derTag.explicit1) return (one) => certificateParts(one)?.subject.whole.equals(id.whole) === true;
  if (tag !== derTag.explicit2 || id.tag !== derTag.octetString) throw new DerError('no responder is named');
  return (one) => hash('sha1', certificateParts(one)?.publicKey ?? '', 'buffer').equals(id.content);
}

function readEnclosed({ whole }: DerElement): readonly X509Certificate[] {
  try {
    return readCertificates(whole, 'certs');
  } catch (error) {
    // One that cannot be read identifies no responder.
    if (error instanceof PaycertError) return [];
    throw error;
  }
}

/** Certified by the issuer itself, for this purpose (RFC 6960 §4.2.2.2), and not with SHA-1. */
function isLetAnswer(one: X509Certificate, issuer: X509Certificate): boolean {
  // Node has no list where there is no extension, whatever its types say.
  const { keyUsage = [] } = one as { readonly keyUsage?: readonly string[] };
  if (!keyUsage.includes(ocspSigning) || !one.checkIssued(issuer)) return false;
  try {
    return readSigned(readOne(readDer(one.raw))).isBy(issuer.publicKey);
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}
