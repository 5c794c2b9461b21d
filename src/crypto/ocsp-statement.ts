// What an OCSP response says of one certificate (SingleResponse, RFC 6960 §4.2.1), before its signature is verified.
import { hash, type X509Certificate } from 'node:crypto';
import { type DerElement, DerError, derTag, readInside, readTime } from './der.ts';
import { integerOf, trimInteger } from './integer.ts';
import { ocspDigests } from './ocsp-request.ts';
import { certificateParts, readCritical, readOne } from './signed.ts';

export interface OcspStatement {
  readonly status: 'good' | 'revoked' | 'unknown';
  /** When it was known to be so. */
  readonly since: Date;
  /** Until when it counts. */
  readonly until: Date;
  readonly isAbout: (certificate: X509Certificate, issuer: X509Certificate) => boolean;
  /** A revocation is final, so a stale response may still revoke. */
  readonly isCurrent: (now: Date) => boolean;
}

/** As much as OpenSSL allows: the clock of a responder that signs whenever it is asked may be ahead of ours. */
const leewayMilliseconds = 5 * 60_000;

/** Without nextUpdate there is newer news all the time (RFC 6960 §2.4), and no end to replaying this one. */
const longestWithoutEnd = 60 * 60_000;

/** CertStatus: implicit tags. */
const statuses: Readonly<Record<number, OcspStatement['status']>> = { 0x80: 'good', 0xa1: 'revoked', 0x82: 'unknown' };

/** @throws DerError */
export function readOcspStatement(element: DerElement): OcspStatement {
  const [id, certStatus, first, ...rest] = readInside(element);
  const status = statuses[certStatus?.tag ?? 0];
  if (status === undefined || first === undefined) throw new DerError('the response has no status');
  const thisUpdate = readTime(first);
  const next = rest[0]?.tag === derTag.explicit0 ? readOne(readInside(rest.shift(), derTag.explicit0)) : undefined;
  const until = next === undefined ? new Date(thisUpdate.getTime() + longestWithoutEnd) : readTime(next);
  assertOrdinary(rest);
  const from = thisUpdate.getTime() - leewayMilliseconds;
  return {
    status,
    since: thisUpdate,
    until,
    isAbout: readCertId(id),
    isCurrent: (now) => status === 'revoked' || (from <= now.getTime() && now < until),
  };
}

/** CertID: the name above the certificate, the key above it, and its number. */
function readCertId(id: DerElement | undefined): OcspStatement['isAbout'] {
  const [algorithm, name, key, serial] = readInside(id);
  if (name?.tag !== derTag.octetString || key?.tag !== derTag.octetString || serial?.tag !== derTag.integer)
    throw new DerError('the response names no certificate');
  const digest = ocspDigests[readInside(algorithm)[0]?.content.toString('hex') ?? ''];
  const number = trimInteger(serial.content);
  return (certificate, issuer) => {
    if (digest === undefined || !integerOf(certificate.serialNumber).equals(number)) return false;
    const [own, above] = [certificateParts(certificate), certificateParts(issuer)];
    const isDigest = ({ content }: DerElement, bytes?: Uint8Array) =>
      bytes !== undefined && hash(digest, bytes, 'buffer').equals(content);
    return isDigest(name, own?.issuer.whole) && isDigest(key, above?.publicKey);
  };
}

/** Extensions or nothing, and none that must be understood (RFC 6960 §4.4). @throws DerError */
export function assertOrdinary(rest: readonly DerElement[]): void {
  if (rest.length === 0) return;
  if (readCritical(readInside(readOne(readInside(readOne(rest), derTag.explicit1)))).length > 0)
    throw new DerError('a critical extension that is not understood');
}
