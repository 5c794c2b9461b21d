// What a revocation list speaks for: its extensions, and the points of a certificate that they are held against (RFC 5280 §5.2, §6.3.3).
import type { X509Certificate } from 'node:crypto';
import { type DerElement, DerError, derTag, readDer, readInside } from './der.ts';
import { certificateExtension, readCritical, readExtensions, readOne } from './signed.ts';

/** Which certificates of its issuer a list says everything of. */
export interface ListScope {
  readonly covers: (certificate: X509Certificate) => boolean;
}

const deltaIndicator = '551d1b';
const issuingDistributionPoint = '551d1c';
const distributionPoints = '551d1f';

/** IssuingDistributionPoint (RFC 5280 §5.2.5): implicit tags. */
const point = 0xa0;
const flags = { onlyUsers: 0x81, onlyAuthorities: 0x82, indirect: 0x84, onlyAttributes: 0x85 } as const;
const onlySomeReasons = 0x83;

const wholeScope: ListScope = { covers: () => true };

/**
 * @throws DerError for what a list must not be used with (RFC 5280 §5.2): a critical extension that is not understood, a delta,
 * entries of other issuers
 */
export function readScope(extensions: readonly DerElement[]): ListScope {
  const all = readExtensions(extensions);
  for (const { oid, isCritical } of all)
    if (oid === deltaIndicator || (isCritical && oid !== issuingDistributionPoint))
      throw new DerError('an extension that is not understood');
  const [own, ...more] = all.filter(({ oid }) => oid === issuingDistributionPoint);
  if (more.length > 0) throw new DerError('one extension twice');
  return own === undefined ? wholeScope : readPoint(own.value);
}

/** Of an entry: nothing that would change what it means, such as another issuer. @throws DerError */
export function assertKnown(extensions: readonly DerElement[]): void {
  if (readCritical(extensions).length > 0) throw new DerError('an entry with a meaning of its own');
}

function readPoint(value: DerElement): ListScope {
  const fields = readInside(readOne(readDer(value.content)));
  const expected: readonly number[] = [point, onlySomeReasons, ...Object.values(flags)];
  if (fields.some(({ tag }) => !expected.includes(tag))) throw new DerError('a field that is not understood');
  const field = (wanted: number) => fields.find(({ tag }) => tag === wanted);
  const isSet = (flag: number) => (field(flag)?.content[0] ?? 0) !== 0;
  if (isSet(flags.indirect)) throw new DerError('entries of other issuers');
  const isPartial = isSet(flags.onlyAttributes) || field(onlySomeReasons) !== undefined;
  const name = field(point);
  const names = name && readNames(name);
  return {
    covers: (certificate) =>
      !isPartial &&
      !(isSet(flags.onlyUsers) && certificate.ca) &&
      !(isSet(flags.onlyAuthorities) && !certificate.ca) &&
      (names === undefined || pointsOf(certificate).some((own) => names.has(own))),
  };
}

/** DistributionPointName: each name as DER, in hex; a name relative to the issuer's too. Its tag tells the kinds apart. */
function readNames(name: DerElement): ReadonlySet<string> {
  const choice = readOne(readDer(name.content));
  return new Set(readDer(choice.content).map(({ whole }) => `${String(choice.tag)} ${whole.toString('hex')}`));
}

/** The names of the points that say everything of a certificate: none for some reasons only, none of other issuers' lists. */
function pointsOf(certificate: X509Certificate): readonly string[] {
  try {
    const value = certificateExtension(certificate, distributionPoints);
    if (value === undefined) return [];
    return readInside(readOne(readDer(value.content))).flatMap((one) => {
      const [name, ...rest] = readInside(one);
      return name?.tag === derTag.explicit0 && rest.length === 0 ? [...readNames(name)] : [];
    });
  } catch (error) {
    // Points that cannot be read are no points.
    if (error instanceof DerError) return [];
    throw error;
  }
}
