// Certificate revocation lists (RFC 5280 §5): which certificates their issuer has taken back. node:crypto does not read them.
import { hash, type X509Certificate } from 'node:crypto';
import { PaycertError } from '../errors.ts';
import { readDerBlocks } from './containers.ts';
import { type DerElement, DerError, derTag, readDer, readInside, readTime } from './der.ts';
import { certificateParts, readCritical, readOne, readSigned } from './signed.ts';
import { certificateFingerprint, normalizeSerial } from './x509.ts';

/** A list, with whatever it takes to believe it. */
export interface RevocationList {
  /** Whether that authority has signed it. Asked once per authority. */
  readonly isOf: (issuer: X509Certificate) => boolean;
  readonly has: (certificate: X509Certificate) => boolean;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  /** thisUpdate ≤ now < nextUpdate. */
  readonly isFresh: (now: Date) => boolean;
  /** SHA-256 of its DER, for telling lists apart. */
  readonly fingerprint: string;
}

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

/**
 * Every list of a file or of an answer: PEM blocks, or one in DER.
 * @throws PaycertError as `readRevocationList`, also where there is none
 */
export function readRevocationLists(bytes: Uint8Array, field: string): RevocationList[] {
  const lists = readDerBlocks(bytes, field, 'X509 CRL').map((der) => readRevocationList(der, field));
  if (lists.length > 0) return lists;
  throw new PaycertError('revocation-list-malformed', `${field} holds no revocation list`, { field });
}

function read(der: Uint8Array): RevocationList {
  const { body, algorithm, rest: none, isBy } = readSigned(readOne(readDer(der)));
  if (none.length > 0) throw new DerError('not a signed list');
  // Version 1 has none, and no extensions.
  const fields = readInside(body);
  if (fields[0]?.tag === derTag.integer) fields.shift();
  const [signedWith, issuer, ...rest] = fields;
  if (issuer === undefined || signedWith === undefined || !algorithm.whole.equals(signedWith.whole))
    throw new DerError('not signed as it says');
  const [thisUpdate, nextUpdate] = takeTimes(rest);
  const entries = rest[0]?.tag === derTag.sequence ? readInside(rest.shift()) : [];
  const extensions =
    rest[0]?.tag === derTag.explicit0 ? readInside(readOne(readInside(rest.shift(), derTag.explicit0))) : [];
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
        certificateParts(authority)?.subject.whole.equals(issuer.whole) === true && isBy(authority.publicKey);
      believed.set(id, isSigned);
      return isSigned;
    },
    has: ({ serialNumber }) => revoked.has(normalizeSerial(serialNumber)),
    thisUpdate,
    nextUpdate,
    isFresh: (now) => thisUpdate <= now && nextUpdate !== undefined && now < nextUpdate,
    fingerprint: hash('sha256', der),
  };
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
  if (serial?.tag !== derTag.integer) throw new DerError('no serial number');
  if (extensions !== undefined) assertOrdinary(readInside(extensions));
  return normalizeSerial(serial.content.toString('hex'));
}

/** A list with a critical extension that is not understood must not be used (RFC 5280 §5.2): a delta, an indirect one. */
function assertOrdinary(extensions: readonly DerElement[]): void {
  for (const { oid, value } of readCritical(extensions)) {
    const isPoint = oid === issuingDistributionPoint;
    if (!isPoint || readInside(readOne(readDer(value.content))).some(({ tag }) => tag === indirect))
      throw new DerError('it has a meaning of its own');
  }
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
