// Certificate revocation lists (RFC 5280 §5): which certificates their issuer has revoked. node:crypto does not read them.
import { createHash, type X509Certificate } from 'node:crypto';
import { PaycertError } from '../errors.ts';
import { piecesOf } from '../turns.ts';
import { readDerBlocks } from './pem.ts';
import { type DerElement, DerError, derTag, readDer, readInside, readTime } from './der.ts';
import { integerOf } from './integer.ts';
import { readScope } from './list-extensions.ts';
import { type ListedSerials, readListedSerials } from './listed-serials.ts';
import { certificateParts, readOne, readSigned } from './signed.ts';
import { certificateFingerprint } from './x509.ts';

/** `covered`: it would list the certificate, had that been revoked. `elsewhere`: another list of the issuer would. */
export type ListStatement = 'revoked' | 'covered' | 'elsewhere';

/** A list of which nothing but the frame has been read, with what it takes to trust it. */
export interface RevocationList {
  /** Whether that authority has signed it. Found out once per authority. */
  readonly isOf: (issuer: X509Certificate) => Promise<boolean>;
  /**
   * What it says of a certificate; undefined where it is not that issuer's. Entries are read when the first issuer is
   * found to have signed them, in turns.
   * @throws PaycertError `revocation-list-malformed` for entries that cannot be used
   */
  readonly about: (certificate: X509Certificate, issuer: X509Certificate) => Promise<ListStatement | undefined>;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date | undefined;
  /** thisUpdate ≤ now < nextUpdate. */
  readonly isFresh: (now: Date) => boolean;
  /** SHA-256 of its DER, for telling lists apart. Computed once, in turns: a list may have 16 MB. */
  readonly fingerprint: () => Promise<string>;
}

/**
 * A list in DER. Its entries are not read yet: nobody is known to have signed them.
 * @throws PaycertError `revocation-list-malformed`, also for a delta, for one that speaks for other issuers, and for a
 * signature algorithm that is not trusted
 */
export function readRevocationList(der: Uint8Array, field: string): RevocationList {
  try {
    return read(der, field);
  } catch (error) {
    throw explain(error, field);
  }
}

/**
 * Every list of a file or of a response: PEM blocks, or one in DER.
 * @throws PaycertError as `readRevocationList`, also where no list is found
 */
export function readRevocationLists(bytes: Uint8Array, field: string): RevocationList[] {
  const lists = readDerBlocks(bytes, field, 'X509 CRL').map((der) => readRevocationList(der, field));
  if (lists.length > 0) return lists;
  throw new PaycertError('revocation-list-malformed', `${field} holds no revocation list`, { field });
}

function explain(error: unknown, field: string): unknown {
  if (!(error instanceof DerError)) return error;
  return new PaycertError('revocation-list-malformed', `${field} is not a revocation list that can be used`, { field });
}

function read(der: Uint8Array, field: string): RevocationList {
  const { body, algorithm, rest: none, isSignedBy } = readSigned(readOne(readDer(der)));
  if (none.length > 0) throw new DerError('not a signed list');
  // Version 1 has none, and no extensions.
  const fields = readInside(body);
  if (fields[0]?.tag === derTag.integer) fields.shift();
  const [signedWith, issuer, ...rest] = fields;
  if (issuer === undefined || signedWith === undefined || !algorithm.whole.equals(signedWith.whole))
    throw new DerError('not signed as it says');
  const [thisUpdate, nextUpdate] = takeTimes(rest);
  const entries = rest[0]?.tag === derTag.sequence ? rest.shift() : undefined;
  const extensions =
    rest[0]?.tag === derTag.explicit0 ? readInside(readOne(readInside(rest.shift(), derTag.explicit0))) : [];
  if (rest.length > 0) throw new DerError('more than a list');
  const scope = readScope(extensions);
  const signed = new Map<string, Promise<boolean>>();
  let listed: Promise<ListedSerials> | undefined;
  let fingerprint: Promise<string> | undefined;

  const isOf = (authority: X509Certificate): Promise<boolean> => {
    const id = certificateFingerprint(authority);
    const isNamed = () => certificateParts(authority)?.subject.whole.equals(issuer.whole) === true;
    const known = signed.get(id) ?? (isNamed() ? isSignedBy(authority.publicKey) : Promise.resolve(false));
    signed.set(id, known);
    return known;
  };
  return {
    isOf,
    async about(certificate, authority) {
      if (!(await isOf(authority))) return undefined;
      try {
        const { has } = await (listed ??= readListedSerials(entries?.content ?? Buffer.alloc(0)));
        if (has(integerOf(certificate.serialNumber))) return 'revoked';
      } catch (error) {
        throw explain(error, field);
      }
      return scope.covers(certificate) ? 'covered' : 'elsewhere';
    },
    thisUpdate,
    nextUpdate,
    isFresh: (now) => thisUpdate <= now && nextUpdate !== undefined && now < nextUpdate,
    fingerprint: () => (fingerprint ??= fingerprintOf(der)),
  };
}

async function fingerprintOf(der: Uint8Array): Promise<string> {
  const digest = createHash('sha256');
  for await (const piece of piecesOf(der)) digest.update(piece);
  return digest.digest('hex');
}

function takeTimes(rest: DerElement[]): readonly [Date, Date | undefined] {
  const isTime = (element?: DerElement): element is DerElement =>
    element?.tag === derTag.utcTime || element?.tag === derTag.generalizedTime;
  const [first, second] = rest;
  if (!isTime(first)) throw new DerError('no time');
  rest.splice(0, isTime(second) ? 2 : 1);
  return [readTime(first), isTime(second) ? readTime(second) : undefined];
}

export type RevocationStatus = 'revoked' | 'good' | 'unknown';

/**
 * What an issuer's lists say of a certificate, as a function of the time. A list that names it revokes it, however old the list
 * is and whatever it was made for; one that does not must be fresh, and be the one that would name it.
 */
export async function revocationOf(
  certificate: X509Certificate,
  issuer: X509Certificate,
  lists: readonly RevocationList[],
): Promise<(now: Date) => RevocationStatus> {
  const said = await Promise.all(lists.map((list) => statementOf(list, certificate, issuer)));
  if (said.includes('revoked')) return () => 'revoked';
  const complete = lists.filter((_, index) => said[index] === 'covered');
  return (now) => (complete.some((list) => list.isFresh(now)) ? 'good' : 'unknown');
}

/** Entries that cannot be used say nothing here; of the material's own authorities they are a problem of the load. */
async function statementOf(list: RevocationList, ...of: Parameters<RevocationList['about']>) {
  try {
    return await list.about(...of);
  } catch (error) {
    if (error instanceof PaycertError) return undefined;
    throw error;
  }
}
