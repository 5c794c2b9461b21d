// Certificate revocation lists (RFC 5280 §5): which certificates their issuer has taken back. node:crypto does not read them.
import { hash, verify, type X509Certificate } from 'node:crypto';
import { PaycertError } from '../errors.ts';
import { type DerElement, DerError, derTag, readDer, readInside, readTime } from './der.ts';
import { certificateFingerprint, normalizeSerial } from './x509.ts';

/** A list, with whatever it takes to believe it. */
export interface RevocationList {
  /** Whether that authority has signed it. Asked once per authority. */
  readonly isOf: (issuer: X509Certificate) => boolean;
  readonly has: (certificate: X509Certificate) => boolean;
  /** thisUpdate ≤ now < nextUpdate. */
  readonly isFresh: (now: Date) => boolean;
  /** SHA-256 of its DER, for telling lists apart. */
  readonly fingerprint: string;
}

/** OID of the signature algorithm, as hex → digest. SHA-1 is not believed. */
const digests: Readonly<Record<string, string | null>> = {
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2b6570': null,
};

const issuingDistributionPoint = '551d1c';
const indirect = 0x84;

/**
 * A list in DER.
 * @throws PaycertError `revocation-list-malformed`, also for a delta, for one that speaks for other issuers, and for a
 * signature algorithm that is not believed
 */
export function readRevocationList(der: Uint8Array, field: string): RevocationList {
  try {
    return read(der);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new PaycertError('revocation-list-malformed', `${field} is no revocation list that can be used`, { field });
  }
}

function read(der: Uint8Array): RevocationList {
  const [tbs, algorithm, signature, ...more] = readInside(one(readDer(der)));
  if (tbs === undefined || signature?.tag !== derTag.bitString || signature.content[0] !== 0 || more.length > 0)
    throw new DerError('not a signed list');
  const [oid] = readInside(algorithm);
  const digest = digests[oid?.content.toString('hex') ?? ''];
  // Version 1 has none, and no extensions.
  const fields = readInside(tbs);
  if (fields[0]?.tag === 0x02) fields.shift();
  const [signedWith, issuer, ...rest] = fields;
  if (
    digest === undefined ||
    issuer === undefined ||
    signedWith === undefined ||
    !algorithm?.whole.equals(signedWith.whole)
  )
    throw new DerError('not signed as it must be');
  const [thisUpdate, nextUpdate] = takeTimes(rest);
  const entries = rest[0]?.tag === derTag.sequence ? readInside(rest.shift()) : [];
  const extensions =
    rest[0]?.tag === derTag.explicit0 ? readInside(one(readInside(rest.shift(), derTag.explicit0))) : [];
  if (rest.length > 0) throw new DerError('more than a list');
  assertOrdinary(extensions);
  const revoked = new Set(entries.map(readSerial));
  const believed = new Map<string, boolean>();
  return {
    isOf(authority) {
      const id = certificateFingerprint(authority);
      const known = believed.get(id);
      if (known !== undefined) return known;
      const isSigned =
        subjectOf(authority).equals(issuer.whole) &&
        verify(digest, tbs.whole, authority.publicKey, signature.content.subarray(1));
      believed.set(id, isSigned);
      return isSigned;
    },
    has: ({ serialNumber }) => revoked.has(normalizeSerial(serialNumber)),
    isFresh: (now) => thisUpdate <= now && nextUpdate !== undefined && now < nextUpdate,
    fingerprint: hash('sha256', der),
  };
}

function one(elements: readonly DerElement[]): DerElement | undefined {
  return elements.length === 1 ? elements[0] : undefined;
}

function takeTimes(rest: DerElement[]): readonly [Date, Date | undefined] {
  const isTime = (element?: DerElement): element is DerElement =>
    element?.tag === derTag.utcTime || element?.tag === derTag.generalizedTime;
  const [first, second] = rest;
  if (!isTime(first)) throw new DerError('no time');
  rest.splice(0, isTime(second) ? 2 : 1);
  return [readTime(first), isTime(second) ? readTime(second) : undefined];
}

function readSerial(entry: DerElement): string {
  const [serial, , extensions] = readInside(entry);
  if (serial?.tag !== 0x02) throw new DerError('no serial number');
  if (extensions !== undefined) assertOrdinary(readInside(extensions));
  return normalizeSerial(serial.content.toString('hex'));
}

/** A list with a critical extension that is not understood must not be used (RFC 5280 §5.2): a delta, an indirect one. */
function assertOrdinary(extensions: readonly DerElement[]): void {
  for (const extension of extensions) {
    const [oid, critical, value] = readInside(extension);
    if (critical?.tag !== derTag.boolean || critical.content[0] === 0) continue;
    const isPoint = oid?.content.toString('hex') === issuingDistributionPoint && value?.tag === derTag.octetString;
    if (!isPoint || readInside(one(readDer(value.content))).some(({ tag }) => tag === indirect))
      throw new DerError('it has a meaning of its own');
  }
}

function subjectOf(certificate: X509Certificate): Buffer {
  const fields = readInside(readInside(one(readDer(certificate.raw)))[0]);
  // After the version: serial number, algorithm, issuer, validity.
  return fields[fields[0]?.tag === derTag.explicit0 ? 5 : 4]?.whole ?? Buffer.alloc(0);
}

/** What an issuer's lists say of a certificate. An old list that names it is enough; one that does not must be fresh. */
export function revocationOf(
  certificate: X509Certificate,
  issuer: X509Certificate,
  lists: readonly RevocationList[],
  now: Date,
): 'revoked' | 'good' | 'unknown' {
  const believed = lists.filter((list) => list.isOf(issuer));
  if (believed.some((list) => list.has(certificate))) return 'revoked';
  return believed.some((list) => list.isFresh(now)) ? 'good' : 'unknown';
}
